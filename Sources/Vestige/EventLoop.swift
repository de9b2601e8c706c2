import VestigeCore

/// Reads batch by batch and hands each on, until there is no more or nobody wants more.
struct EventLoop {
    let onProgress: ((Progress) -> Void)?
    let byteCount: UInt64?
    /// Whether the reading may be further than what is made of it, on a thread of its own. What a reader has found
    /// out in passing (losses, generations) is then found out although nobody may have wanted to come so far.
    let readsAhead: Bool

    /// - Parameters:
    ///   - read: fills a batch; false when there is no more.
    ///   - bytesConsumed: how much of the inputs has been read; called by whoever has called `read`.
    /// - Throws: what the closures throw.
    func run(
        read: (inout EventBatch) throws(TraceError) -> Bool, bytesConsumed: () -> UInt64,
        while isWanted: () -> Bool, _ body: (UnsafeBufferPointer<Event>) throws(TraceError) -> Void
    ) throws(TraceError) {
        var ticker = Ticker()
        let report = { (bytes: UInt64) in
            guard let onProgress, let elapsed = ticker.tick() else { return }
            onProgress(Progress(bytesConsumed: bytes, byteCount: byteCount, elapsed: elapsed))
        }
        var batch = EventBatch()
        var isMore = isWanted()
        // What fits into one batch is not worth a thread.
        var isFirst = true
        while isMore, isFirst || !readsAhead || !ReadAhead.isUseful {
            isFirst = false
            batch.removeAll()
            isMore = try read(&batch)
            if !batch.isEmpty { try body(batch.events) }
            report(bytesConsumed())
            isMore = isMore && isWanted()
        }
        guard isMore else { return }
        try ReadAhead().run(read: read, bytesConsumed: bytesConsumed) { events, bytes throws(TraceError) in
            if !events.isEmpty { try body(events) }
            report(bytes)
            return isWanted()
        }
    }
}

/// Says when it is time to report progress: at most ten times a second. Asked once a batch.
struct Ticker {
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now

    mutating func tick() -> Duration? {
        let now = ContinuousClock.now
        guard now - last >= .milliseconds(100) else { return nil }
        last = now
        return now - start
    }
}
