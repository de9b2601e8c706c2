import VestigeCore

/// Collects the batches of one generation after the other, and goes on behind damage.
///
/// Defects are survived: each is recorded with its place, its bytes are counted as lost, and reading
/// goes on where batches follow each other again.
struct GenerationScanner: ~Copyable {
    /// What was found.
    enum Item {
        case generation(Generation)
        /// Another trace begins: files were concatenated.
        case newTrace(version: Int)
        case end
    }

    private let source: ByteSource
    private let diagnostics: Diagnostics
    private var version: Int
    private var scanner: BatchScanner
    /// Read ahead: before Go 1.26 the next generation is noticed by its first batch.
    private var lookahead: BatchHeader?
    private var pendingVersion: Int?
    private var lastBatch: BatchHeader?
    /// Where the search behind damage begins at the earliest: behind what an earlier search has found, so that
    /// it ends, and not in what was delivered, which a stream has forgotten.
    private var searchStart: UInt64 = 0
    /// Set when the input ends before its last generation does.
    private(set) var truncation: TraceError?

    /// Nothing from here on is looked at.
    private let end: UInt64

    /// Looks at the generations that begin within `range`, which must begin and end between generations.
    init(source: ByteSource, diagnostics: Diagnostics, version: Int, range: Range<UInt64>) {
        self.source = source
        self.diagnostics = diagnostics
        self.version = version
        end = range.upperBound
        scanner = BatchScanner(source: source, offset: range.lowerBound)
    }

    /// Where the next batch is looked for.
    var offset: UInt64 { lookahead?.offset ?? scanner.offset }

    /// Finds the batches of the next generation.
    /// - Throws: only what the system refuses.
    mutating func next() throws(TraceError) -> Item {
        if let version = pendingVersion {
            pendingVersion = nil
            self.version = version
            return .newTrace(version: version)
        }
        guard offset < end else { return .end }
        source.discard(before: offset)
        searchStart = max(searchStart, offset)
        var generation: Generation?
        if let first = lookahead {
            generation = Generation(number: first.generation)
            generation!.add(first, version: version)
            lookahead = nil
        }
        while try step(&generation) {}
        if let generation, !generation.isEmpty { return .generation(generation) }
        return pendingVersion == nil ? .end : try next()
    }

    /// Takes one item.
    /// - Returns: false if the generation is complete, or the input has ended.
    private mutating func step(_ generation: inout Generation?) throws(TraceError) -> Bool {
        do throws(TraceError) {
            switch try scanner.next() {
            case .end:
                finish(&generation)
                return false
            case .endOfGeneration:
                return generation == nil
            case .header(let version):
                pendingVersion = version
                return false
            case .batch(let batch):
                return try take(batch, &generation)
            case .tornBatch(let batch, let missing):
                let isMore = try take(batch, &generation)
                noteTorn(batch, missing, &generation)
                return isMore
            }
        } catch {
            guard error.code == .damaged || error.code == .truncated else { throw error }
            return try recover(error, &generation)
        }
    }

    private mutating func take(_ batch: BatchHeader, _ generation: inout Generation?) throws(TraceError) -> Bool {
        if generation == nil { generation = Generation(number: batch.generation) }
        if batch.generation == generation!.number {
            generation!.add(batch, version: version)
            lastBatch = batch
            return true
        }
        guard try isPlausibleSuccessor(batch, of: generation!) else {
            diagnostics.count(.batchesLost)
            diagnostics.count(.bytesLost, scanner.offset - batch.offset)
            diagnostics.record(
                source.error(
                    .damaged, at: batch.offset, context: ["batch header"],
                    expected: "generation \(generation!.number)", found: "generation \(batch.generation)"))
            return true
        }
        lookahead = batch
        lastBatch = batch
        if version >= 26 { noteMissingEnd(&generation!, at: batch.offset) }
        return false
    }

    /// The next generation has the next number. Another number is believed only if the batch
    /// after it has it too: then generations are missing; else one header is damaged.
    private mutating func isPlausibleSuccessor(
        _ batch: BatchHeader, of generation: Generation
    ) throws(TraceError) -> Bool {
        if batch.generation == generation.number &+ 1 { return true }
        let resume = scanner.offset
        defer { scanner.move(to: resume) }
        do throws(TraceError) {
            guard case .batch(let following) = try scanner.next() else { return true }
            return following.generation != generation.number
        } catch {
            return false
        }
    }

    // MARK: - Defects

    private mutating func finish(_ generation: inout Generation?) {
        guard let current = generation, truncation == nil, !current.hasItsEnd(version: version) else { return }
        // A program that is killed early leaves the clocks of a generation and no events: nothing
        // is lost.
        if current.threads.isEmpty {
            if version >= 26 { generation = nil }
            return
        }
        generation!.isComplete = false
        diagnostics.count(.generationsIncomplete)
        truncation = source.error(
            .truncated, at: source.size, context: ["generation \(current.number)"],
            expected: "the end of the generation", found: "the end of the file")
    }

    private mutating func noteTorn(_ batch: BatchHeader, _ missing: Int, _ generation: inout Generation?) {
        generation?.isComplete = false
        diagnostics.count(.generationsIncomplete)
        diagnostics.count(.batchesLost)
        truncation = source.error(
            .truncated, at: source.size,
            context: [
                "generation \(batch.generation)", "batch of thread \(batch.thread.rawValue) at byte \(batch.offset)",
            ],
            expected: "\(batch.size + missing) bytes of payload", found: "\(batch.size)")
    }

    private func noteMissingEnd(_ generation: inout Generation, at offset: UInt64) {
        generation.isComplete = false
        diagnostics.count(.generationsIncomplete)
        diagnostics.record(
            source.error(
                .damaged, at: offset, context: ["generation \(generation.number)"],
                expected: "the end of the generation (byte 52)", found: "a batch of another generation"))
    }

    /// Goes on behind damage. The batch before it may have been damaged itself, in its size, so the
    /// search begins in that batch, and what it swallowed is given back.
    private mutating func recover(
        _ error: TraceError, _ generation: inout Generation?
    ) throws(TraceError) -> Bool {
        let damage = scanner.offset
        let context = generation.map { "generation \($0.number)" }
        if generation != nil, generation!.isComplete {
            generation!.isComplete = false
            diagnostics.count(.generationsIncomplete)
        }
        let surroundings = BatchScanner.Surroundings(
            generation: lastBatch?.generation ?? 1, ticks: lastBatch?.ticks ?? 0, version: version)
        var isFound = false
        if let lastBatch {
            isFound = try scanner.resynchronize(
                from: max(lastBatch.payloadOffset + 1, searchStart), near: surroundings)
        }
        guard isFound else {
            let end = try source.endOffset()
            diagnostics.count(.bytesLost, end - min(damage, end))
            scanner.move(to: end)
            if truncation == nil { truncation = error.adding(context: context) }
            return false
        }
        searchStart = scanner.offset + 1
        diagnostics.record(error.adding(context: context))
        diagnostics.count(.bytesLost, scanner.offset - min(damage, scanner.offset))
        if scanner.offset < damage, let last = lastBatch, generation?.number == last.generation {
            generation!.shorten(last, to: Int(scanner.offset - last.payloadOffset))
        }
        return true
    }
}
