/// The identity of the IR's own file form, JSON lines; `Schemas/event-ir.md` specifies it.
public enum EventIR {
    /// The `format` of the first line.
    public static let formatName = "vestige-ir"
    /// Rises when a reader of the version before would misread what is written now. New kinds and
    /// new fields do not raise it: readers pass over what they do not know.
    public static let version = 1
    /// The format's name on the command line.
    public static let jsonLinesName = "jsonl"
    /// What the two attributes at the end of a sweep are called, as in Go's reader API.
    public static let sweepAttributeNames: (swept: StaticString, reclaimed: StaticString) =
        ("bytes swept", "bytes reclaimed")
}
