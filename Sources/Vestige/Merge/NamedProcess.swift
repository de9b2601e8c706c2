/// Inputs that are of one process, and how outputs name it.
public struct NamedProcess: Sendable, Equatable {
    public var name: String
    public var inputs: [String]

    public init(_ name: String, _ inputs: [String]) {
        self.name = name
        self.inputs = inputs
    }
}
