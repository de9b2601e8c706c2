import ArgumentParser
import Vestige

/// How much a command says about itself.
struct ReportingOptions: ParsableArguments {
    @Flag(name: .customLong("no-progress"), help: "Show no progress bar.")
    var noProgress = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors and warnings.")
    var quiet = false

    func makeProgressBar() -> ProgressBar? { ProgressBar(isWanted: !noProgress && !quiet) }

    /// Says what was lost of a reading, that nothing was selected, and where its inputs were placed.
    func sayWhatIsOdd(_ reading: AnalysisResult) {
        LossReport.warn(
            path: reading.name, diagnostics: reading.diagnostics, failure: reading.failure,
            isEmpty: reading.isInputEmpty)
        if reading.isSelectionEmpty { Console.say(QueryOptions.emptyResult) }
        guard !quiet else { return }
        for line in AlignmentReport.lines(reading.tables, firstNanoseconds: reading.firstNanoseconds) {
            Console.say(line)
        }
    }
}
