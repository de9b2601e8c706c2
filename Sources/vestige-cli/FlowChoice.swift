import ArgumentParser
import Vestige

/// Kinds of arrows as people write them: `all`, `none`, or a list such as `creation,channel`.
struct FlowChoice: ExpressibleByArgument, Equatable {
    let kinds: FlowKinds
    /// As it was given.
    let word: String

    private static let names: [String: FlowKinds] = [
        "creation": .creation, "wakeup": .wakeUp, "channel": .channel, "all": .all, "none": [],
    ]

    /// Nil for what holds an unknown word.
    init?(argument: String) {
        guard let kinds = FlowKinds(list: argument, names: Self.names) else { return nil }
        self.kinds = kinds
        word = argument
    }
}

/// Views as people write them: `all`, or a list such as `procs,runtime`.
struct ViewChoice: ExpressibleByArgument, Equatable {
    let kinds: ViewKinds
    /// As it was given.
    let word: String

    private static let names = Dictionary(
        uniqueKeysWithValues: ViewKinds.named.map { ($0.name, $0.kind) } + [("all", .all)])

    /// Nil for what holds an unknown word.
    init?(argument: String) {
        guard let kinds = ViewKinds(list: argument, names: Self.names) else { return nil }
        self.kinds = kinds
        word = argument
    }
}

extension OptionSet where Self == Element {
    /// What the words of a list, apart from each other by commas, name together; nil if one names nothing.
    fileprivate init?(list: String, names: [String: Self]) {
        self.init()
        for word in list.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = names[String(word)] else { return nil }
            formUnion(kind)
        }
    }
}
