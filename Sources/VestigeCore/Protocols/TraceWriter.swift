/// Writes events as one output format. A writer streams and never seeks; its memory does not grow
/// with the trace.
public protocol TraceWriter: AnyObject {
    /// Writes the events of one batch. They are valid only during the call.
    /// - Throws: `TraceError` with code `outputFailed` or `outputClosed`.
    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) throws(TraceError)

    /// Writes what is left and completes the output. Called once, also after partly readable input.
    func finish(tables: TraceTables) throws(TraceError)
}
