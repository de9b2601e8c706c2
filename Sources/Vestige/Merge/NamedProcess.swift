import VestigeCore

/// Inputs that are of one process, and how outputs name it.
public struct NamedProcess: Sendable, Equatable {
    public var name: String
    public var inputs: [String]

    public init(_ name: String, _ inputs: [String]) {
        self.name = name
        self.inputs = inputs
    }
}

extension TraceTables {
    /// Refuses a file of several processes where they would be taken for one.
    func refuseProcesses(of input: String) throws(TraceError) {
        let names = processNames
        guard names.count > 1 else { return }
        throw TraceError(
            .usage, file: input,
            expected: "one process (only `vestige convert` without a selection and --split keeps several apart)",
            found: "several: \(names.joined(separator: ", "))")
    }
}
