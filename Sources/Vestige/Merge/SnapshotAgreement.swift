import VestigeCore
import VestigeStages

/// Whether a recording and one snapshot of an observer agree.
public struct SnapshotAgreement {
    /// The input that the snapshot is in.
    public let path: String
    /// Where it was placed in the recording.
    public let alignment: SourceAlignment
    public let agreement: Agreement

    /// Places every snapshot in the recording and compares.
    ///
    /// - Throws: `usage` if the inputs cannot belong together, `unreadable` for what cannot be read.
    public static func check(
        _ paths: [String], times: [ManualTime] = [], onProgress: ((Progress) -> Void)? = nil
    ) throws(TraceError) -> (agreements: [SnapshotAgreement], firstNanoseconds: Int64, diagnostics: Diagnostics) {
        try SameInput.check(paths, times: times)
        let tables = TraceTables()
        let diagnostics = Diagnostics()
        var inputs: [TraceInput] = []
        for path in paths { inputs.append(try TraceInput(path, tables: tables, diagnostics: diagnostics)) }
        try InputMerge.check(times, inputs)
        let merge = try InputMerge(inputs, tables: tables, times: times, comparesOnly: true)
        let agreements = try merge.agreements(onProgress: onProgress)
        return (agreements, merge.firstNanoseconds, diagnostics)
    }
}
