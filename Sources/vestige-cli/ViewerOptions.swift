import ArgumentParser
import Vestige

/// What viewers show of a recording, and how.
struct ViewerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which arrows between goroutines viewers show: all, none, or some of creation,wakeup,channel (default: creation in JSON, else none; natively some bring the goroutines' slices with them).",
            valueName: "kinds"))
    var flows: FlowChoice?

    @Option(
        help: ArgumentHelp(
            "What viewers show: all, with all arrows, or some of procs,goroutines,regions,threads,tasks,runtime,scheduler.",
            valueName: "views"))
    var views: ViewChoice?

    @Option(
        name: .customLong("min-span"),
        help: ArgumentHelp(
            "Merge what is shorter than this on a row into counted blocks, e.g. 10us (viewers).",
            valueName: "duration"))
    var minSpan: DurationArgument?

    func apply(to options: inout OutputOptions) {
        options.thinning = minSpan.map { Thinning(minSpanNanoseconds: $0.nanoseconds) }
        if let flows { options.flows = flows.kinds }
        if let views { options.views = views.kinds }
    }

    /// The options as on a command line.
    var words: [String] {
        (flows.map { ["--flows=\($0.word)"] } ?? []) + (views.map { ["--views=\($0.word)"] } ?? [])
            + (minSpan.map { ["--min-span=\($0.nanoseconds)ns"] } ?? [])
    }
}
