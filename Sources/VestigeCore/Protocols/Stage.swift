/// Transforms a stream of events, batch by batch. Its state is bounded by what is alive at one
/// time, never by the length of the trace.
public protocol Stage: AnyObject {
    /// Takes the events of `input` and appends what becomes of them to `output`; calls `emit` whenever
    /// `output` is full, which empties it.
    func process(
        _ input: UnsafeBufferPointer<Event>, tables: TraceTables, into output: inout EventBatch,
        emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError)

    /// Appends what is left when the input has ended.
    func finish(
        tables: TraceTables, into output: inout EventBatch,
        emit: (inout EventBatch) throws(TraceError) -> Void
    ) throws(TraceError)
}
