/// Field numbers of the messages that are written; `Schemas/perfetto/trace.proto` has them with types and
/// meaning. Computed, so that each is a constant where it is used.
enum PerfettoField {
    static var tracePacket: UInt32 { 1 }

    enum Packet {
        static var ftraceEvents: UInt32 { 1 }
        static var processTree: UInt32 { 2 }
        static var clockSnapshot: UInt32 { 6 }
        static var timestamp: UInt32 { 8 }
        static var sequenceID: UInt32 { 10 }
        static var trackEvent: UInt32 { 11 }
        static var internedData: UInt32 { 12 }
        static var sequenceFlags: UInt32 { 13 }
        static var incrementalStateCleared: UInt32 { 41 }
        static var compressedPackets: UInt32 { 50 }
        static var clockID: UInt32 { 58 }
        static var defaults: UInt32 { 59 }
        static var trackDescriptor: UInt32 { 60 }
        static var perfSample: UInt32 { 66 }
        static var taskState: UInt32 { 117 }
    }

    enum Clock {
        static var clocks: UInt32 { 1 }
        static var id: UInt32 { 1 }
        static var timestamp: UInt32 { 2 }
        static var isIncremental: UInt32 { 3 }
        static var unitNanoseconds: UInt32 { 4 }
    }

    enum Defaults {
        static var perfSample: UInt32 { 12 }
        static var clockID: UInt32 { 58 }
        static var timebase: UInt32 { 1 }
        static var timebaseFrequency: UInt32 { 2 }
        static var timebaseCounter: UInt32 { 4 }
        static var timebaseName: UInt32 { 10 }
    }

    enum Track {
        static var uuid: UInt32 { 1 }
        static var name: UInt32 { 2 }
        static var thread: UInt32 { 4 }
        static var parent: UInt32 { 5 }
        static var counter: UInt32 { 8 }
        static var childOrdering: UInt32 { 11 }
        static var rank: UInt32 { 12 }
        static var counterUnit: UInt32 { 3 }
        static var counterUnitName: UInt32 { 6 }
        static var counterShareKey: UInt32 { 7 }
    }

    enum Thread {
        static var pid: UInt32 { 1 }
        static var tid: UInt32 { 2 }
    }

    enum Event {
        static var category: UInt32 { 3 }
        static var annotation: UInt32 { 4 }
        static var type: UInt32 { 9 }
        static var nameIID: UInt32 { 10 }
        static var track: UInt32 { 11 }
        static var name: UInt32 { 23 }
        static var counterValue: UInt32 { 30 }
        static var flow: UInt32 { 47 }
        static var terminatingFlow: UInt32 { 48 }
    }

    enum Annotation {
        static var nameIID: UInt32 { 1 }
        static var bool: UInt32 { 2 }
        static var unsigned: UInt32 { 3 }
        static var signed: UInt32 { 4 }
        static var string: UInt32 { 6 }
        static var stringIID: UInt32 { 17 }
    }

    enum Interned {
        static var categories: UInt32 { 1 }
        static var eventNames: UInt32 { 2 }
        static var annotationNames: UInt32 { 3 }
        static var functionNames: UInt32 { 5 }
        static var frames: UInt32 { 6 }
        static var callstacks: UInt32 { 7 }
        static var mappingPaths: UInt32 { 17 }
        static var sourcePaths: UInt32 { 18 }
        static var mappings: UInt32 { 19 }
        static var kernelSymbols: UInt32 { 26 }
        static var annotationStrings: UInt32 { 29 }
        /// Of every entry.
        static var iid: UInt32 { 1 }
        /// Of entries that are a name or string.
        static var text: UInt32 { 2 }
    }

    enum Frame {
        static var function: UInt32 { 2 }
        static var mapping: UInt32 { 3 }
        static var programCounter: UInt32 { 4 }
        static var sourcePath: UInt32 { 5 }
        static var line: UInt32 { 6 }
        static var mappingEnd: UInt32 { 5 }
        static var mappingPath: UInt32 { 7 }
        static var callstackFrames: UInt32 { 2 }
    }

    enum PerfSample {
        static var cpu: UInt32 { 1 }
        static var pid: UInt32 { 2 }
        static var tid: UInt32 { 3 }
        static var callstack: UInt32 { 4 }
        static var mode: UInt32 { 5 }
    }

    enum ProcessTree {
        static var processes: UInt32 { 1 }
        static var threads: UInt32 { 2 }
        static var pid: UInt32 { 1 }
        static var commandLine: UInt32 { 3 }
        static var tid: UInt32 { 1 }
        static var threadName: UInt32 { 2 }
        static var threadProcess: UInt32 { 3 }
    }

    enum Bundle {
        static var cpu: UInt32 { 1 }
        static var event: UInt32 { 2 }
        static var compact: UInt32 { 4 }
        static var strings: UInt32 { 5 }
        static var switchTimes: UInt32 { 1 }
        static var switchStates: UInt32 { 2 }
        static var switchThreads: UInt32 { 3 }
        static var switchPriorities: UInt32 { 4 }
        static var switchNames: UInt32 { 6 }
        static var wakingTimes: UInt32 { 7 }
        static var wakingThreads: UInt32 { 8 }
        static var wakingCPUs: UInt32 { 9 }
        static var wakingPriorities: UInt32 { 10 }
        static var wakingNames: UInt32 { 11 }
    }

    enum Ftrace {
        static var timestamp: UInt32 { 1 }
        static var pid: UInt32 { 2 }
        static var schedSwitch: UInt32 { 4 }
        static var blockedReason: UInt32 { 18 }
        static var schedWaking: UInt32 { 20 }
        static var previousThread: UInt32 { 2 }
        static var previousPriority: UInt32 { 3 }
        static var previousState: UInt32 { 4 }
        static var nextThread: UInt32 { 6 }
        static var nextPriority: UInt32 { 7 }
        static var wokenThread: UInt32 { 2 }
        static var wokenPriority: UInt32 { 3 }
        static var wokenCPU: UInt32 { 5 }
        static var blockedThread: UInt32 { 1 }
        static var blockedSymbol: UInt32 { 2 }
        static var blockedOnIO: UInt32 { 3 }
    }

    enum TaskState {
        static var thread: UInt32 { 3 }
        static var state: UInt32 { 4 }
        static var priority: UInt32 { 5 }
    }
}
