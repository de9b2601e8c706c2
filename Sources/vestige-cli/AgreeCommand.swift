import ArgumentParser
import Vestige

struct AgreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agree",
        abstract: "Checks whether a recording and dumps or snapshots of the same run say the same.",
        discussion: """
            Each dump or snapshot is placed in the recording as `vestige convert` does it, however little they \
            have in common, and every goroutine is compared: whether it exists, its state, what it waits for, and \
            its stack. The exit code is 1 if there are differences.

            Not counted as differences, since they follow from how the tools work: the runtime's own goroutines \
            that one side leaves out; a goroutine that the recording mentions only later, since it did nothing \
            before; a stack that is the other with frames left out; stacks of goroutines that run; a goroutine \
            that a debugger stopped within the tracer.

            An archive is all its entries, which must be of one run then; an entry of it is ARCHIVE/ENTRY.

            EXAMPLES
              vestige agree app.trace goroutines.txt
              vestige agree app.trace delve.json --json | jq '.snapshots[].differences[]'

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("The recording, and the dumps or snapshots to compare with it.", valueName: "input"))
    var inputs: [String]

    @OptionGroup var times: TimeOptions

    @Flag(help: "As JSON, for scripts.")
    var json = false

    @OptionGroup var reporting: ReportingOptions

    func run() throws {
        let bar = reporting.makeProgressBar()
        defer { bar?.clear() }
        let inputs = try InputPath.expand(inputs)
        let result = try SnapshotAgreement.check(inputs, times: times.values, onProgress: bar?.show)
        bar?.clear()
        LossReport.warn(
            path: inputs.joined(separator: " + "), diagnostics: result.diagnostics, failure: nil, isEmpty: false)
        let report = AgreementReport(result.agreements, firstNanoseconds: result.firstNanoseconds)
        try Console.write(json ? report.json() : report.text())
        if result.agreements.contains(where: { !$0.agreement.differences.isEmpty }) {
            throw EarlyExit(status: .findings)
        }
    }
}
