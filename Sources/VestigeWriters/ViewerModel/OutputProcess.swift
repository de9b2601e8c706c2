import VestigeCore

/// One of the processes in an output.
struct OutputProcess {
    /// From 1, in the order of the inputs; 0 if the output is of one process, which has no name.
    var number = 0
    var name = ""
    /// How many there are in the output.
    var count = 1
    /// The time from which times in the file count; nil for that of the process's first event.
    var originNanoseconds: Int64?

    /// The only process, without a name.
    static let only = OutputProcess()
    var isOnly: Bool { number == 0 }
    /// Numbers that must differ between processes are apart by this: sources of events have 8 bits, and so have
    /// processes. 1 where there is only one.
    var step: UInt64 { isOnly ? 1 : 256 }

    /// A number of this process as one of the whole output.
    @inline(__always) func unique(_ number: UInt64) -> UInt64 { number &* step &+ UInt64(self.number) }
}
