import VestigeCore

/// What the readers of Delve's forms have in common: messages become events in a queue, from which batches
/// are filled.
protocol DelveReading: TraceReader {
    var source: ByteSource { get }
    var state: DelveState { get }
    /// Nil until the input has been taken in to its end.
    var end: DelveEnd? { get set }
    /// Takes in the next message, or sets the end.
    func advance()
}

/// How an input ended.
struct DelveEnd {
    /// Thrown once what came before it has been delivered.
    var failure: TraceError?
}

extension DelveReading {
    var bytesConsumed: UInt64 { source.bytesConsumed }

    func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        while batch.room > 0 {
            state.deliver(into: &batch)
            guard state.isQueueEmpty else { return true }
            if let end {
                guard let failure = end.failure else { return false }
                if !batch.isEmpty { return true }
                self.end = DelveEnd()
                throw failure
            }
            advance()
        }
        return true
    }

    func end(_ failure: TraceError?) {
        end = DelveEnd(failure: failure)
        state.updateSource { $0.byteCount = $0.byteCount ?? source.size }
    }
}
