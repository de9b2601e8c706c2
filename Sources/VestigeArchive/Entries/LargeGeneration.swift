/// What is known of a generation that is larger than a block, put together from its pieces, in their order.
final class LargeGeneration {
    let pieceCount: Int
    private let place: GenerationPlace
    /// Where it begins in its file.
    private let start: UInt64
    private var takenCount = 0
    /// Nil once a piece was not modelled.
    private var facts: SegmentFacts? = SegmentFacts()
    /// The batches that names and times need, one after the other, and where each is in these bytes.
    private var payloads: [UInt8] = []
    private var found: GenerationPlace

    /// - Parameter place: with offsets from `start`.
    init(_ place: GenerationPlace, start: UInt64, pieceCount: Int) {
        self.place = place
        self.start = start
        self.pieceCount = pieceCount
        found = place
        (found.strings, found.sync) = ([], [])
    }

    /// Takes the next piece.
    /// - Parameter offset: where it begins in its file.
    /// - Returns: what the generation is about, once it is complete and if that is known.
    func take(_ other: SegmentFacts?, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> ChunkContent? {
        takenCount += 1
        if let other { facts?.add(other) } else { facts = nil }
        let begin = Int(offset - start)
        found.strings += place.strings.compactMap { keep($0, bytes, begin) }
        found.sync += place.sync.compactMap { keep($0, bytes, begin) }
        guard takenCount == pieceCount, let facts, found.strings.count == place.strings.count,
            found.sync.count == place.sync.count
        else { return nil }
        return payloads.withUnsafeBytes { GenerationContent($0, found).content(facts) }
    }

    /// Keeps a batch that is in a piece.
    private func keep(
        _ batch: GenerationPlace.Batch, _ bytes: UnsafeRawBufferPointer, _ begin: Int
    ) -> GenerationPlace.Batch? {
        let first = batch.payload - begin
        guard first >= 0, batch.size <= bytes.count, first <= bytes.count - batch.size else { return nil }
        var kept = batch
        kept.payload = payloads.count
        payloads += bytes[first..<first + batch.size]
        return kept
    }
}

extension SegmentFacts {
    /// Adds what another segment of the same generation mentions.
    fileprivate mutating func add(_ other: SegmentFacts) {
        batchCount += other.batchCount
        goroutines += other.goroutines
        names += other.names
        guard let new = other.ticks else { return }
        ticks = ticks.map { min($0.lowerBound, new.lowerBound)...max($0.upperBound, new.upperBound) } ?? new
    }
}
