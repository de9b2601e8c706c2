import VestigeCore

/// Makes of a generation a short one that leaves a skim with the same: a *carry*. Whoever begins to read behind it
/// reads the carry in its place.
package enum GenerationCarry {
    /// Reads the generation that begins in a range, behind the header if that is there, and ends with it.
    ///
    /// A carry is read again before it is handed out, so that it is right whatever the generation is like.
    /// - Returns: a generation in Go's format; nil where none would leave the same, as where there is damage.
    /// - Throws: only what the system refuses.
    package static func make(_ source: ByteSource, _ range: Range<UInt64>) throws(TraceError) -> [UInt8]? {
        let header = try source.prefix(GoTraceHeader.length)
        guard let version = header.withUnsafeBytes(GoTraceHeader.version),
            GoTraceV2Format.knownVersions.contains(version)
        else { return nil }
        let tables = TraceTables()
        let start = max(UInt64(GoTraceHeader.length), range.lowerBound)
        guard let whole = try read(source, version, start..<range.upperBound, tables) else { return nil }
        var writer = CarryWriter(whole.generation, tables, whole.nanosecondsPerTick)
        try writer.copy(whole.generation.syncBatches, from: source)
        guard let bytes = writer.write(whole.leftovers, version: version) else { return nil }
        let content = ByteSource(content: MemoryContent(bytes), path: source.path)
        guard let copy = try read(content, version, 0..<UInt64(bytes.count), tables),
            copy.generation.number == whole.generation.number,
            copy.generation.minimumTicks == whole.generation.minimumTicks, isSame(copy.leftovers, whole.leftovers)
        else { return nil }
        return bytes
    }

    /// Regions that generations leave open, and those that end in them and do not begin in them, by their names.
    package struct Regions {
        package var open: Set<String> = []
        package var endedEarly: Set<String> = []
    }

    /// - Parameter source: a trace of generations, some of them as what they carry.
    /// - Returns: nil if there is damage.
    package static func regions(_ source: ByteSource) throws(TraceError) -> Regions? {
        let version = try source.prefix(GoTraceHeader.length).withUnsafeBytes(GoTraceHeader.version)
        guard let version, GoTraceV2Format.knownVersions.contains(version) else { return nil }
        let diagnostics = Diagnostics()
        let context = ReaderContext(tables: TraceTables(), diagnostics: diagnostics, source: 0)
        var scanner = GenerationScanner(
            source: source, diagnostics: diagnostics, version: version,
            range: UInt64(GoTraceHeader.length)..<UInt64.max)
        let tables = GenerationTables(source: source, context: context, version: version)
        var skim = GenerationSkim(source: source, context: context, tables: tables)
        var regions = Regions()
        while case .generation(let generation) = try scanner.next() {
            try tables.load(generation)
            guard try skim.take(generation) else { return nil }
            for end in skim.earlierRegionEnds { regions.endedEarly.insert(context.tables.strings.string(end.name)) }
        }
        guard scanner.offset == source.size, diagnostics.nonZero.isEmpty, scanner.truncation == nil else { return nil }
        for begin in skim.openRegions { regions.open.insert(context.tables.strings.string(begin.name)) }
        return regions
    }

    private struct Reading {
        var generation: Generation
        var leftovers: [Event]
        var nanosecondsPerTick: Double
    }

    private static func read(
        _ source: ByteSource, _ version: Int, _ range: Range<UInt64>, _ tables: TraceTables
    ) throws(TraceError) -> Reading? {
        let diagnostics = Diagnostics()
        let context = ReaderContext(tables: tables, diagnostics: diagnostics, source: 0)
        var scanner = GenerationScanner(source: source, diagnostics: diagnostics, version: version, range: range)
        guard case .generation(let generation) = try scanner.next(), scanner.offset == range.upperBound else {
            return nil
        }
        let generationTables = GenerationTables(source: source, context: context, version: version)
        try generationTables.load(generation)
        guard generationTables.nanosecondsPerTick > 0 else { return nil }
        var skim = GenerationSkim(source: source, context: context, tables: generationTables)
        guard try skim.take(generation) else { return nil }
        let leftovers = skim.leftovers()
        guard diagnostics.nonZero.isEmpty, scanner.truncation == nil else { return nil }
        return Reading(
            generation: generation, leftovers: leftovers, nanosecondsPerTick: generationTables.nanosecondsPerTick)
    }

    /// Events have no gaps in memory.
    private static func isSame(_ a: [Event], _ b: [Event]) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { a.elementsEqual($0) } }
    }
}

private final class MemoryContent: RandomAccessContent {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var size: UInt64 { UInt64(bytes.count) }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let start = Int(min(offset, size))
        let count = min(buffer.count, bytes.count - start)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
        return count
    }
}
