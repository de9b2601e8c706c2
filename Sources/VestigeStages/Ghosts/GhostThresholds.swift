/// From when on something counts. Durations are nanoseconds.
public struct GhostThresholds: Sendable {
    /// How long a goroutine must have been silent to be stuck; nil for a quarter of the recording, but at least
    /// 20 ms and at most 1 s.
    public var stuckNanoseconds: Int64?
    /// How long it must run without yielding to be a hog. A single stretch counts from twice this on: a thread that
    /// the operating system does not run makes its goroutine look so.
    public var hogNanoseconds: Int64 = 10_000_000
    /// How long it must be ready before it runs to be starved.
    public var starvedNanoseconds: Int64 = 50_000_000
    /// How long it must outlive what started it to be an orphan.
    public var orphanNanoseconds: Int64 = 100_000_000
    /// How many of one creation site must be alive at the end to pile up.
    public var pileCount: UInt32 = 10
    /// How many goroutines at one place make a pile in a dump, which knows no time.
    public var dumpCount: UInt64 = 100
    /// How long a goroutine in a dump must have waited to be stuck.
    public var dumpNanoseconds: Int64 = 60_000_000_000

    public init() {}

    /// The silence that counts in a recording of this length.
    func stuckNanoseconds(inRecordingOf duration: Int64) -> Int64 {
        stuckNanoseconds ?? min(1_000_000_000, max(20_000_000, duration / 4))
    }
}
