import VestigeCore

/// Reads a Go execution trace v1 in two passes: the first finds the batches of each proc and reads the
/// tables, the second merges the events. Memory holds the tables, a few bytes a batch, and one batch a
/// proc; a pipe is kept by its `ByteSource`.
///
/// Format: `runtime/trace.go` of Go 1.5 to 1.21; the events are those of `internal/trace/tracev1.go`.
final class GoTraceV1Reader: TraceReader {
    private let source: ByteSource
    private let context: ReaderContext
    private let version: Int
    private let merge: UnsafeMutablePointer<MergeV1>
    private var failure: TraceError?
    private var phase = Phase.opened

    private enum Phase {
        case opened
        case merging
        case merged
        case failed(TraceError)
        case finished
    }

    /// - Throws: `unreadable` if there is no header of a v1 trace.
    init(_ source: ByteSource, _ context: ReaderContext) throws(TraceError) {
        let header = try source.prefix(GoTraceHeader.length)
        guard let version = header.withUnsafeBytes(GoTraceHeader.version),
            GoTraceV1Format.knownVersions.contains(version)
        else {
            throw source.error(
                .unreadable, at: 0, expected: "the header of a trace of Go 1.5 to 1.21", found: "other bytes")
        }
        self.source = source
        self.context = context
        self.version = version
        merge = .allocate(capacity: 1)
        let index = Int(context.source)
        context.tables.sources[index].formatVersion = "go 1.\(version) trace"
        context.tables.sources[index].goVersion = GoTraceHeader.toolchains(version)
        context.tables.sources[index].clock = .relative
    }

    deinit {
        if isMerging { merge.deinitialize(count: 1) }
        merge.deallocate()
    }

    private var isMerging: Bool {
        switch phase {
        case .merging, .merged: true
        case .opened, .failed, .finished: false
        }
    }

    var bytesConsumed: UInt64 { source.bytesConsumed }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room >= MergeV1.eventsPerWireEvent {
            switch phase {
            case .opened: try begin(&batch)
            case .merging:
                try batch.fill { (room) throws(TraceError) in try merge.pointee.fill(room) }
                if merge.pointee.isExhausted { phase = .merged }
            case .merged: finish(&batch)
            case .failed(let error):
                guard batch.isEmpty else { return true }
                phase = .finished
                throw error
            case .finished: return false
            }
        }
        return true
    }

    /// The first pass.
    private func begin(_ batch: inout EventBatch) throws(TraceError) {
        let index = TraceIndexV1(source: source, context: context, layout: LayoutV1(version: version))
        do throws(TraceError) {
            try index.build()
            merge.initialize(to: try MergeV1(index))
        } catch {
            phase = .finished
            throw error
        }
        failure = index.failure
        context.tables.sources[Int(context.source)].ticksPerSecond = index.ticksPerSecond
        context.tables.sources[Int(context.source)].byteCount = source.size
        phase = .merging
        if !merge.pointee.isExhausted { appendSync(&batch, number: 1, time: -1) }
    }

    private func finish(_ batch: inout EventBatch) {
        let isEmpty = merge.pointee.lastTime < 0
        appendSync(&batch, number: isEmpty ? 1 : 2, time: merge.pointee.lastTime &+ 1)
        merge.deinitialize(count: 1)
        phase = failure.map { .failed($0) } ?? .finished
    }

    /// Sync events open and close a trace, as in Go's reader.
    private func appendSync(_ batch: inout EventBatch, number: UInt64, time: Int64) {
        batch.append(Event(kind: .sync, timeNanoseconds: time, argument0: number, source: context.source))
    }
}
