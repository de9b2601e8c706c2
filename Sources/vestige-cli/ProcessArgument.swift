import ArgumentParser
import Glibc
import Vestige

/// `NAME=FILE[,FILE…]`: inputs that are of one process.
struct ProcessArgument: ExpressibleByArgument {
    let value: NamedProcess

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        let files = Self.files(parts[1])
        guard !files.isEmpty, !files.contains("") else { return nil }
        value = NamedProcess(parts[0], files)
    }

    /// A file's name may hold commas, too.
    private static func files(_ list: String) -> [String] {
        if access(list, F_OK) == 0 { return [list] }
        return list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// The processes that options name; what is said of one name more than once is put together.
    static func processes(_ arguments: [ProcessArgument]) -> [NamedProcess] {
        arguments.map(\.value).reduce(into: []) { processes, process in
            if let index = processes.firstIndex(where: { $0.name == process.name }) {
                processes[index].inputs += process.inputs
            } else {
                processes.append(process)
            }
        }
    }
}
