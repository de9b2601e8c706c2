import VestigeCore

/// Chrome trace JSON, the format of `chrome://tracing` (catapult), which ui.perfetto.dev reads too.
public enum ChromeJSONFormat {
    public static let format = OutputFormat(
        name: "chrome",
        summary: "Chrome trace JSON, for chrome://tracing and ui.perfetto.dev",
        suffix: ".json", viewer: .json,
        make: { target, options throws(TraceError) in
            let sink = try target.sink(named: nil)
            return ProcessWriters { process, leader in
                ChromeJSONWriter(sink, options: options, process: process, leader: leader as? ChromeJSONWriter)
            }
        })
}

/// The processes under which a viewer shows the rows. Raw values are pids; those of the program's process number 3
/// are 31 to 35.
enum ChromeProcess: UInt32, CaseIterable {
    case procs = 1
    case goroutines = 2
    case threads = 3
    case tasks = 4
    case runtime = 5

    var title: StaticString {
        switch self {
        case .procs: "Procs"
        case .goroutines: "Goroutines"
        case .threads: "Threads"
        case .tasks: "Tasks"
        case .runtime: "Runtime"
        }
    }

    /// Place from the top, where the viewer honours it.
    var sortIndex: Int64 {
        switch self {
        case .runtime: 1
        case .procs: 2
        case .tasks: 3
        case .goroutines: 4
        case .threads: 5
        }
    }
}

/// A row of a viewer: what it calls a thread.
///
/// Tids are numbers of our own, in order of appearance: viewers keep 32 bits of a tid, where
/// goroutine ids have 64, and Perfetto orders rows by tid. They begin at 10 because Perfetto takes
/// tid 0 for the pid and marks the row whose tid is the pid as main thread.
struct ChromeRow: Hashable {
    static let firstTid: UInt32 = 10
    /// What is added to the tids of processes that have numbers, whose pids are greater.
    static let numberedTidOffset: UInt32 = 9_990

    var process: ChromeProcess
    var tid: UInt32

    /// The row below it: regions of a goroutine, sweeps of a proc.
    var second: ChromeRow { ChromeRow(process: process, tid: tid &+ 1) }

    var key: RowKey { RowKey(UInt64(process.rawValue) << 32 | UInt64(tid)) }

    /// A further row for slices that would overlap others on this one; lane 0 is the row itself. The upper
    /// four bits of a tid hold as many lanes as a row may have.
    func lane(_ lane: Int) -> ChromeRow {
        ChromeRow(process: process, tid: tid &+ UInt32(truncatingIfNeeded: lane) << 28)
    }

    /// The row of the thing that appeared as number `index`, with room for its second row.
    static func numbered(_ index: UInt32, in process: ChromeProcess) -> ChromeRow {
        ChromeRow(process: process, tid: firstTid + 2 * (index & 0x7ff_ffff))
    }
}
