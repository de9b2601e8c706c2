/// Which views of a recording viewers are to show.
public struct ViewKinds: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A row for each proc: which goroutine runs there, its system calls, sweeps, CPU samples.
    public static let procs = ViewKinds(rawValue: 1)
    /// A row for each goroutine with its states, and arrows between goroutines.
    public static let goroutines = ViewKinds(rawValue: 2)
    /// What is below a goroutine's states, or natively below its thread's: regions, mark assists, logs, labels, observations.
    public static let regions = ViewKinds(rawValue: 4)
    /// A row for each thread of the operating system.
    public static let threads = ViewKinds(rawValue: 8)
    public static let tasks = ViewKinds(rawValue: 16)
    /// Collections, stops of the world, counters; natively sweeps, too.
    public static let runtime = ViewKinds(rawValue: 32)
    /// Rows of CPUs and states of threads, in formats that know them.
    public static let scheduler = ViewKinds(rawValue: 64)

    /// The kinds by the names that people use.
    public static let named: [(name: String, kind: ViewKinds)] = [
        ("procs", .procs), ("goroutines", .goroutines), ("regions", .regions), ("threads", .threads),
        ("tasks", .tasks), ("runtime", .runtime), ("scheduler", .scheduler),
    ]

    public static let all: ViewKinds = [.procs, .goroutines, .regions, .threads, .tasks, .runtime, .scheduler]
}
