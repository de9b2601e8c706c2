/// The typed handles of the IR. All are trivial values of fixed size; `absent` stands for
/// "none", as `-1` does in Go's own reader API.

/// A goroutine's number (`goid`), unique within one process. Go ids are 64-bit.
@frozen public struct GoroutineID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: Int64
    @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }
    /// No goroutine: the scheduler or the system ran.
    @inlinable public static var absent: GoroutineID { GoroutineID(-1) }
    @inlinable public static func < (a: GoroutineID, b: GoroutineID) -> Bool { a.rawValue < b.rawValue }
}

/// A proc (P), the right to run Go code. There are GOMAXPROCS of them, so 32 bits suffice;
/// readers refuse larger numbers as malformed. Go 1.5–1.21 use 1,000,000 and up for timers,
/// the network poller, system calls and profiles.
@frozen public struct ProcID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: Int32
    @inlinable public init(_ rawValue: Int32) { self.rawValue = rawValue }
    @inlinable public static var absent: ProcID { ProcID(-1) }
    @inlinable public static func < (a: ProcID, b: ProcID) -> Bool { a.rawValue < b.rawValue }
}

/// A thread (M), by the operating system's number; 64 bits since macOS uses pointers.
@frozen public struct ThreadID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: Int64
    @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }
    @inlinable public static var absent: ThreadID { ThreadID(-1) }
    @inlinable public static func < (a: ThreadID, b: ThreadID) -> Bool { a.rawValue < b.rawValue }
}

/// A user task (`runtime/trace.NewTask`). 0 is the background task, `absent` is no task.
@frozen public struct TaskID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static var absent: TaskID { TaskID(.max) }
    @inlinable public static var background: TaskID { TaskID(0) }
    @inlinable public static func < (a: TaskID, b: TaskID) -> Bool { a.rawValue < b.rawValue }
}

/// A string in `StringTable`; 0 is the empty string. Holds for the whole run.
@frozen public struct StringID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var empty: StringID { StringID(0) }
    @inlinable public static func < (a: StringID, b: StringID) -> Bool { a.rawValue < b.rawValue }
}

/// A stack in `StackTable`; 0 is no stack. Holds for the whole run.
@frozen public struct StackID: Hashable, Comparable, BitwiseCopyable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var absent: StackID { StackID(0) }
    @inlinable public static func < (a: StackID, b: StackID) -> Bool { a.rawValue < b.rawValue }
}
