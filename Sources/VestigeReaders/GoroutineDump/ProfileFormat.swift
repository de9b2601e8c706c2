import VestigeCore

/// Goroutine profiles in the pprof format, `profile.proto`, as net/http/pprof gives them without `debug`.
public enum ProfileFormat {
    public static let format = InputFormat(
        name: "pprof",
        summary: "goroutine profile (runtime/pprof, /debug/pprof/goroutine and goroutineleak)",
        suffixes: [".pb", ".pprof", ".prof"], sniff: sniff
    ) { source, context throws(TraceError) in
        try ProfileReader(source, context: context)
    }

    /// Only fields of a profile, of the right types, and among the first few the type of a value.
    @Sendable static func sniff(_ bytes: UnsafeRawBufferPointer) -> SniffResult {
        var fields = ProfileFields(bytes)
        var hasValueType = false
        var count = 0
        do throws(TraceError) {
            while let field = try fields.next() {
                guard field.isOfProfile else { return .no }
                hasValueType = hasValueType || field.isValueType
                count += 1
                if count == 4, !hasValueType { return .no }
            }
        } catch {
            // The bytes are only the beginning of the profile.
            guard error.code == .truncated else { return .no }
        }
        return hasValueType ? .yes : .no
    }
}

extension ProfileFields.Field {
    fileprivate var isOfProfile: Bool {
        switch number {
        case 1...6, 11: hasContent
        case 7...10, 12, 14, 15: !hasContent
        default: number == ProfileField.comment
        }
    }

    /// Two string indices, fields 1 and 2.
    fileprivate var isValueType: Bool {
        guard number == ProfileField.sampleType || number == ProfileField.periodType else { return false }
        return content.count >= 4 && content.count <= 22 && content[0] == 0x08 && content.contains(0x10)
    }
}
