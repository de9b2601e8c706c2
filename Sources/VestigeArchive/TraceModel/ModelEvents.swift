/// The timed events that the model knows, with Go's numbers (`internal/trace/tracev2/events.go`).
///
/// Part of the archive format: the numbers of columns follow from this table, so it never changes for a
/// version of the model, whatever events later releases of Go have. A batch with others is stored as it is.
enum ModelEvent {
    @inline(__always) static var procsChange: UInt8 { 9 }
    @inline(__always) static var procStart: UInt8 { 10 }
    @inline(__always) static var procStop: UInt8 { 11 }
    @inline(__always) static var procSteal: UInt8 { 12 }
    @inline(__always) static var procStatus: UInt8 { 13 }
    @inline(__always) static var goCreate: UInt8 { 14 }
    @inline(__always) static var goCreateSyscall: UInt8 { 15 }
    @inline(__always) static var goStart: UInt8 { 16 }
    @inline(__always) static var goDestroy: UInt8 { 17 }
    @inline(__always) static var goDestroySyscall: UInt8 { 18 }
    @inline(__always) static var goStop: UInt8 { 19 }
    @inline(__always) static var goBlock: UInt8 { 20 }
    @inline(__always) static var goUnblock: UInt8 { 21 }
    @inline(__always) static var goSyscallBegin: UInt8 { 22 }
    @inline(__always) static var goSyscallEnd: UInt8 { 23 }
    @inline(__always) static var goSyscallEndBlocked: UInt8 { 24 }
    @inline(__always) static var goStatus: UInt8 { 25 }
    @inline(__always) static var stwBegin: UInt8 { 26 }
    @inline(__always) static var gcActive: UInt8 { 28 }
    @inline(__always) static var gcBegin: UInt8 { 29 }
    @inline(__always) static var gcEnd: UInt8 { 30 }
    @inline(__always) static var gcSweepBegin: UInt8 { 32 }
    @inline(__always) static var gcSweepEnd: UInt8 { 33 }
    @inline(__always) static var gcMarkAssistBegin: UInt8 { 35 }
    @inline(__always) static var heapAlloc: UInt8 { 37 }
    @inline(__always) static var heapGoal: UInt8 { 38 }
    @inline(__always) static var goLabel: UInt8 { 39 }
    @inline(__always) static var userTaskBegin: UInt8 { 40 }
    @inline(__always) static var userTaskEnd: UInt8 { 41 }
    @inline(__always) static var userRegionBegin: UInt8 { 42 }
    @inline(__always) static var userRegionEnd: UInt8 { 43 }
    @inline(__always) static var userLog: UInt8 { 44 }
    @inline(__always) static var goSwitch: UInt8 { 45 }
    @inline(__always) static var goSwitchDestroy: UInt8 { 46 }
    @inline(__always) static var goCreateBlocked: UInt8 { 47 }
    @inline(__always) static var goStatusStack: UInt8 { 48 }

    /// How many arguments follow the time, by type.
    private static let argumentCounts: [UInt8: UInt8] = [
        9: 2, 10: 2, 11: 0, 12: 3, 13: 2, 14: 3, 15: 1, 16: 2, 17: 0, 18: 0, 19: 2, 20: 2, 21: 3, 22: 2, 23: 0,
        24: 0, 25: 3, 26: 2, 27: 0, 28: 1, 29: 2, 30: 1, 31: 1, 32: 1, 33: 2, 34: 1, 35: 1, 36: 0, 37: 1, 38: 1,
        39: 1, 40: 4, 41: 2, 42: 3, 43: 3, 44: 4, 45: 2, 46: 2, 47: 3, 48: 4,
        128: 3, 129: 3, 130: 1, 131: 2, 132: 2, 133: 1, 134: 2, 135: 2, 136: 1,
    ]

    static let unknown: UInt8 = 0xff
    static let mostArguments = 4
    /// Rows are numbered from 1 in the order of types: 9 to 48, then 128 to 136. Row 0 stands for the beginning of
    /// a batch.
    static let rowCount = 1 + argumentCounts.count
    /// The longest event: a type, a time and four arguments.
    static let longestEvent = 1 + 10 * (1 + mostArguments)

    /// By type, `unknown` for those that are not known. A pointer, to be taken out of loops; never freed.
    nonisolated(unsafe) static let argumentCount: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for type in 0...255 { (table + type).initialize(to: argumentCounts[UInt8(type)] ?? unknown) }
        return UnsafePointer(table)
    }()
    /// The row of a type that the model knows.
    @inline(__always) static func row(_ type: UInt8) -> Int {
        type < 128 ? Int(type) &- 8 : Int(type) &- 87
    }
}
