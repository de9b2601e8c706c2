import ArgumentParser
import Vestige

/// `[FILE=]TIME`, e.g. `dump.txt=1.25s`.
struct TimeOfInput: ExpressibleByArgument {
    let value: ManualTime

    init?(argument: String) {
        // A file's name may hold the sign too; a time does not.
        let cut = argument.lastIndex(of: "=")
        let time = cut.map { argument[argument.index(after: $0)...] } ?? argument[...]
        guard let nanoseconds = TimeText.nanoseconds(time) else { return nil }
        value = ManualTime(path: cut.map { String(argument[..<$0]) }, nanoseconds: nanoseconds)
    }
}
