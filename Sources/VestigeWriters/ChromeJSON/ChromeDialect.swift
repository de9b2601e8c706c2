/// For which viewer Chrome trace JSON is written. Rows, slices, arrows and counters are the same, and so is that no
/// backslash is in anything shown: versions of Perfetto up to 52 resolve escapes only in a string that holds `\"`,
/// and take one that ends in `\\` to run on past its end.
public enum ChromeDialect: Sendable {
    /// catapult (`chrome://tracing`): colours, and stacks by number, shared in `stackFrames`. Perfetto
    /// reads it too, but ignores these.
    case catapult
    /// Perfetto's importer alone: no parts that it ignores, and stacks in full as arguments.
    case perfetto
}
