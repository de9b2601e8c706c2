import VestigeCore

/// The event IR as JSON lines.
public enum JSONLinesOutputFormat {
    public static let format = OutputFormat(
        name: EventIR.jsonLinesName, summary: "JSON lines: every event of the trace, one object a line",
        suffix: ".jsonl"
    ) { target, options throws(TraceError) in
        JSONLinesWriter(try target.sink(named: nil), diagnostics: options.diagnostics)
    }
}
