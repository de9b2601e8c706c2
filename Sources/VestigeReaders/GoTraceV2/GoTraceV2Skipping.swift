import VestigeCore

/// Begins to read in the middle.
///
/// The generation before that of the moment is read in full, so that the order in the moment's own is the same
/// as if everything had been read. Of those before, a skim finds what still matters.
extension GoTraceV2Reader: SkippingReader {
    func skip(
        to moment: (TraceStart) throws(TraceError) -> Int64?
    ) throws(TraceError) -> Int {
        guard source.isSeekable, GoTraceV2Format.knownVersions.contains(version), isUnread else { return 0 }
        // Anything odd is for whoever reads in full to report.
        let diagnostics = Diagnostics()
        let quiet = ReaderContext(tables: context.tables, diagnostics: diagnostics, source: context.source)
        let first = UInt64(GoTraceHeader.length)
        var scanner = GenerationScanner(
            source: source, diagnostics: diagnostics, version: version, range: first..<UInt64.max)
        let tables = GenerationTables(source: source, context: quiet, version: version)
        var skim = GenerationSkim(source: source, context: quiet, tables: tables)
        var kept: [(generation: Generation, offset: UInt64)] = []
        var skimmedCount = 0
        var target: Int64?
        var opening: [Event] = []
        while true {
            let offset = scanner.offset
            guard case .generation(let generation) = try scanner.next(), diagnostics.nonZero.isEmpty,
                scanner.truncation == nil
            else { break }
            if target == nil {
                try tables.load(generation)
                opening = [firstSync(generation, tables)]
                guard let wanted = try moment(start(opening[0])) else { return 0 }
                target = wanted
            }
            guard tables.nanoseconds(generation.minimumTicks) <= target! else { break }
            kept.append((generation, offset))
            guard kept.count > 2 else { continue }
            let oldest = kept.removeFirst().generation
            try tables.load(oldest)
            guard try skim.take(oldest), diagnostics.nonZero.isEmpty else { return 0 }
            skimmedCount += 1
        }
        guard skimmedCount > 0, diagnostics.nonZero.isEmpty else { return 0 }
        begin(
            at: kept[0].offset, behind: skimmedCount, opening + skim.events(notAfter: target!),
            openTasks: skim.openTasks)
        return skimmedCount
    }

    private func firstSync(_ generation: Generation, _ tables: GenerationTables) -> Event {
        Event(
            kind: .sync, timeNanoseconds: tables.nanoseconds(generation.minimumTicks), argument0: 1,
            argument1: tables.clockIndex, source: context.source)
    }

    private func start(_ sync: Event) -> TraceStart {
        let snapshot = sync.clockSnapshotIndex.map { context.tables.clockSnapshots[$0] }
        return TraceStart(
            firstNanoseconds: sync.timeNanoseconds,
            wallOffsetNanoseconds: snapshot.map { $0.wallUnixNanoseconds &- $0.traceNanoseconds })
    }
}
