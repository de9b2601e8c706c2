import ArgumentParser
import Vestige

/// What the user says of when inputs were taken.
struct TimeOptions: ParsableArguments {
    @Option(
        name: .customLong("at"),
        help: ArgumentHelp(
            "When an input was taken, counted from the recording's first event, e.g. dump.txt=1.25s; may be repeated.",
            valueName: "[file=]time"))
    var times: [TimeOfInput] = []

    var values: [ManualTime] { times.map(\.value) }
}
