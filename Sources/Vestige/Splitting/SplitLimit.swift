/// How large the parts of a recording may become.
public enum SplitLimit: Sendable, Equatable {
    /// At most so many events of the recording.
    case events(UInt64)
    /// About so many bytes before compression by `.gz` or `.zst`: a part ends where it has reached them, and what is
    /// open is then still to be ended.
    case bytes(UInt64)

    /// Smaller parts would hold little more than the states at their begin.
    public static let smallestByteCount: UInt64 = 1_000_000
}
