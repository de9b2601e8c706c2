import ArgumentParser
import Vestige

/// The size of parts as people write it: `1M-events`, `500k-events`, `64MB`.
struct SplitArgument: ExpressibleByArgument, Equatable {
    let limit: SplitLimit

    /// Nil for what is no such size, or is too small.
    init?(argument: String) {
        let text = argument.lowercased()
        if let count = Self.count(text, without: "-events") {
            limit = .events(count)
        } else if let count = Self.count(text, without: "b"), count >= SplitLimit.smallestByteCount {
            limit = .bytes(count)
        } else {
            return nil
        }
    }

    private static func count(_ text: String, without suffix: String) -> UInt64? {
        guard text.hasSuffix(suffix) else { return nil }
        return EventCount(argument: String(text.dropLast(suffix.count)))?.value
    }
}
