import ArgumentParser
import Vestige

/// Kinds of arrows as people write them: `all`, `none`, or a list such as `creation,channel`.
struct FlowChoice: ExpressibleByArgument, Equatable {
    let kinds: FlowKinds
    /// As it was given.
    let word: String

    /// Nil for what holds an unknown word.
    init?(argument: String) {
        let names: [String: FlowKinds] = [
            "creation": .creation, "wakeup": .wakeUp, "channel": .channel, "all": .all, "none": [],
        ]
        var kinds: FlowKinds = []
        for word in argument.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
            guard let kind = names[String(word)] else { return nil }
            kinds.formUnion(kind)
        }
        self.kinds = kinds
        word = argument
    }
}
