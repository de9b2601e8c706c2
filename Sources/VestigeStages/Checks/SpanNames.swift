import VestigeCore

/// The names of spans, by their kinds.
struct SpanNames {
    /// By name: a bit for each kind that has it.
    private var kinds: [UInt8] = []
    private static let limit = 10_000

    mutating func note(_ span: LifelineSpan) {
        let index = Int(span.name.rawValue)
        if index >= kinds.count { kinds.append(contentsOf: repeatElement(0, count: index + 1 - kinds.count)) }
        kinds[index] |= Self.bit(span.kind)
    }

    /// In the order in which the recording has them; some, if there are very many.
    func all(of kind: LifelineKind) -> [StringID] {
        Array(
            kinds.indices.lazy.filter { kinds[$0] & Self.bit(kind) != 0 }.prefix(Self.limit)
                .map { StringID(UInt32($0)) })
    }

    private static func bit(_ kind: LifelineKind) -> UInt8 { 1 << kind.rawValue }
}
