/// Event types of the v2 wire format, with Go's names and numbers (`internal/trace/tracev2/events.go`).
enum WireEvent {
    // Structural events.
    @inline(__always) static var eventBatch: UInt8 { 1 }
    @inline(__always) static var stacks: UInt8 { 2 }
    @inline(__always) static var stack: UInt8 { 3 }
    @inline(__always) static var strings: UInt8 { 4 }
    @inline(__always) static var string: UInt8 { 5 }
    @inline(__always) static var cpuSamples: UInt8 { 6 }
    @inline(__always) static var cpuSample: UInt8 { 7 }
    @inline(__always) static var frequency: UInt8 { 8 }

    // Procs.
    @inline(__always) static var procsChange: UInt8 { 9 }
    @inline(__always) static var procStart: UInt8 { 10 }
    @inline(__always) static var procStop: UInt8 { 11 }
    @inline(__always) static var procSteal: UInt8 { 12 }
    @inline(__always) static var procStatus: UInt8 { 13 }

    // Goroutines.
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

    // Ranges.
    @inline(__always) static var stwBegin: UInt8 { 26 }
    @inline(__always) static var stwEnd: UInt8 { 27 }
    @inline(__always) static var gcActive: UInt8 { 28 }
    @inline(__always) static var gcBegin: UInt8 { 29 }
    @inline(__always) static var gcEnd: UInt8 { 30 }
    @inline(__always) static var gcSweepActive: UInt8 { 31 }
    @inline(__always) static var gcSweepBegin: UInt8 { 32 }
    @inline(__always) static var gcSweepEnd: UInt8 { 33 }
    @inline(__always) static var gcMarkAssistActive: UInt8 { 34 }
    @inline(__always) static var gcMarkAssistBegin: UInt8 { 35 }
    @inline(__always) static var gcMarkAssistEnd: UInt8 { 36 }
    @inline(__always) static var heapAlloc: UInt8 { 37 }
    @inline(__always) static var heapGoal: UInt8 { 38 }

    // Annotations.
    @inline(__always) static var goLabel: UInt8 { 39 }
    @inline(__always) static var userTaskBegin: UInt8 { 40 }
    @inline(__always) static var userTaskEnd: UInt8 { 41 }
    @inline(__always) static var userRegionBegin: UInt8 { 42 }
    @inline(__always) static var userRegionEnd: UInt8 { 43 }
    @inline(__always) static var userLog: UInt8 { 44 }

    // Go 1.23: coroutines, status with a stack, experiments.
    @inline(__always) static var goSwitch: UInt8 { 45 }
    @inline(__always) static var goSwitchDestroy: UInt8 { 46 }
    @inline(__always) static var goCreateBlocked: UInt8 { 47 }
    @inline(__always) static var goStatusStack: UInt8 { 48 }
    @inline(__always) static var experimentalBatch: UInt8 { 49 }

    // Go 1.25: clocks.
    @inline(__always) static var sync: UInt8 { 50 }
    @inline(__always) static var clockSnapshot: UInt8 { 51 }

    // Go 1.26.
    @inline(__always) static var endOfGeneration: UInt8 { 52 }

    // Go 1.23, experiment AllocFree.
    @inline(__always) static var span: UInt8 { 128 }
    @inline(__always) static var goroutineStackFree: UInt8 { 136 }
}

extension WireEvent {
    /// Whether a batch's payload can begin with this type.
    static func canBeginBatch(_ type: UInt8) -> Bool {
        WireSpec.timed[type] != nil || [stacks, strings, cpuSamples, frequency, sync].contains(type)
    }
}

/// One row a wire event: its name and its arguments, after the time delta that every timed event has.
struct WireSpec {
    var name: String
    var arguments: [String]

    /// Timed events, the only ones that a thread's batches hold (`tracev2/events.go`, `specs`).
    static let timed: [UInt8: WireSpec] = [
        9: WireSpec("ProcsChange", "procs_value", "stack"),
        10: WireSpec("ProcStart", "p", "p_seq"),
        11: WireSpec("ProcStop"),
        12: WireSpec("ProcSteal", "p", "p_seq", "m"),
        13: WireSpec("ProcStatus", "p", "pstatus"),
        14: WireSpec("GoCreate", "new_g", "new_stack", "stack"),
        15: WireSpec("GoCreateSyscall", "new_g"),
        16: WireSpec("GoStart", "g", "g_seq"),
        17: WireSpec("GoDestroy"),
        18: WireSpec("GoDestroySyscall"),
        19: WireSpec("GoStop", "reason_string", "stack"),
        20: WireSpec("GoBlock", "reason_string", "stack"),
        21: WireSpec("GoUnblock", "g", "g_seq", "stack"),
        22: WireSpec("GoSyscallBegin", "p_seq", "stack"),
        23: WireSpec("GoSyscallEnd"),
        24: WireSpec("GoSyscallEndBlocked"),
        25: WireSpec("GoStatus", "g", "m", "gstatus"),
        26: WireSpec("STWBegin", "kind_string", "stack"),
        27: WireSpec("STWEnd"),
        28: WireSpec("GCActive", "gc_seq"),
        29: WireSpec("GCBegin", "gc_seq", "stack"),
        30: WireSpec("GCEnd", "gc_seq"),
        31: WireSpec("GCSweepActive", "p"),
        32: WireSpec("GCSweepBegin", "stack"),
        33: WireSpec("GCSweepEnd", "swept_value", "reclaimed_value"),
        34: WireSpec("GCMarkAssistActive", "g"),
        35: WireSpec("GCMarkAssistBegin", "stack"),
        36: WireSpec("GCMarkAssistEnd"),
        37: WireSpec("HeapAlloc", "heapalloc_value"),
        38: WireSpec("HeapGoal", "heapgoal_value"),
        39: WireSpec("GoLabel", "label_string"),
        40: WireSpec("UserTaskBegin", "task", "parent_task", "name_string", "stack"),
        41: WireSpec("UserTaskEnd", "task", "stack"),
        42: WireSpec("UserRegionBegin", "task", "name_string", "stack"),
        43: WireSpec("UserRegionEnd", "task", "name_string", "stack"),
        44: WireSpec("UserLog", "task", "key_string", "value_string", "stack"),
        45: WireSpec("GoSwitch", "g", "g_seq"),
        46: WireSpec("GoSwitchDestroy", "g", "g_seq"),
        47: WireSpec("GoCreateBlocked", "new_g", "new_stack", "stack"),
        48: WireSpec("GoStatusStack", "g", "m", "gstatus", "stack"),
        128: WireSpec("Span", "id", "npages_value", "kindclass"),
        129: WireSpec("SpanAlloc", "id", "npages_value", "kindclass"),
        130: WireSpec("SpanFree", "id"),
        131: WireSpec("HeapObject", "id", "type"),
        132: WireSpec("HeapObjectAlloc", "id", "type"),
        133: WireSpec("HeapObjectFree", "id"),
        134: WireSpec("GoroutineStack", "id", "order"),
        135: WireSpec("GoroutineStackAlloc", "id", "order"),
        136: WireSpec("GoroutineStackFree", "id"),
    ]

    /// How many arguments an event type has; nil for an unknown one.
    static func argumentCount(_ type: UInt8) -> Int? {
        let count = argumentCounts[Int(type)]
        return count == .max ? nil : Int(count)
    }

    private static let argumentCounts = (0...255).map { timed[$0].map { UInt8($0.arguments.count) } ?? .max }

    /// The name of an event type for messages.
    static func name(_ type: UInt8) -> String { timed[type]?.name ?? "event type \(type)" }

    /// Names of the experiments, by number (`tracev2/events.go`).
    static let experiments: [UInt8: String] = [1: "AllocFree"]

    private init(_ name: String, _ arguments: String...) {
        self.name = name
        self.arguments = arguments
    }
}

/// Limits that the runtime keeps (`tracev2/events.go`).
enum WireLimit {
    static let batchBytes: UInt64 = 64 << 10
    static let stackFrames: UInt64 = 128
    static let stringBytes: UInt64 = 1 << 10
    /// The longest timed event: a type and five varints.
    static let eventBytes = 51
}
