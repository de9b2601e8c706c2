import VestigeCore

/// How events are taken: with all care, or only as far as they are ordinary.
protocol Care {
    static var isOrdinary: Bool { get }
    /// Whether events that only numbers are wanted of are counted, and not written.
    static var isTallying: Bool { get }
}

enum Careful: Care {
    @inline(__always) static var isOrdinary: Bool { false }
    @inline(__always) static var isTallying: Bool { false }
}

/// What is not ordinary (a long number, a string that the input lacks, an event that must wait) is left as it was, for
/// `Careful`. The rest, nearly all, needs no call of another function, so that in the loop over it a turn lies in
/// registers. Both share one source for each step, which Swift specialises.
enum Ordinary: Care {
    @inline(__always) static var isOrdinary: Bool { true }
    @inline(__always) static var isTallying: Bool { false }
}

/// The same where events are counted: what would be written about an ordinary one is mostly not needed.
enum Tallied: Care {
    @inline(__always) static var isOrdinary: Bool { true }
    @inline(__always) static var isTallying: Bool { true }
}

/// What is at hand while the events of one thread are taken one after the other.
struct Turn<How: Care> {
    /// Set while an event is placed against the rules.
    let isForcing: Bool
    let thread: UnsafeMutablePointer<ThreadRecord>
    /// Where the event begins.
    var start: UnsafePointer<UInt8>
    /// The event's arguments; behind it once it is placed.
    var pointer: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var time: Int64
    /// Time of the last of all events that were placed.
    var lastTime: Int64
    /// Where the next event is written to.
    var output: UnsafeMutablePointer<Event>

    @inline(__always) var type: UInt8 { start.pointee }

    /// Whether arguments lie within the batch that were read up to here. Those of an ordinary event do.
    @inline(__always) func holds(_ arguments: UnsafePointer<UInt8>) -> Bool { How.isOrdinary || arguments <= end }

    /// Reads an argument.
    /// - Returns: nil if it is longer than an ordinary one.
    @inline(__always) func argument(_ arguments: inout UnsafePointer<UInt8>) -> UInt64? {
        How.isOrdinary ? Varint.readShort(&arguments) : Varint.read(&arguments)
    }

    /// No two events have the same time, and time never goes back (as in Go's reader).
    @inline(__always) mutating func stamp() -> Int64 {
        lastTime = time > lastTime ? time : lastTime &+ 1
        return lastTime
    }
}
