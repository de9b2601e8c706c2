import VestigeCore

/// Writes nothing: everything is read, in order, and the caller counts. For checking an input and
/// for measuring readers.
public enum NullFormat {
    public static let format = OutputFormat(
        name: "null", summary: "nothing: reads everything in order and prints the count of events", suffix: "",
        shape: .nothing, make: { _, _ throws(TraceError) in NullWriter() })
}

private final class NullWriter: TraceWriter {
    func write(_ events: UnsafeBufferPointer<Event>, tables: TraceTables) {}
    func finish(tables: TraceTables) {}
}
