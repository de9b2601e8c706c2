import VestigeCore

/// Go execution traces since Go 1.22: headers `go 1.22 trace`, 1.23, 1.25 and 1.26.
public enum GoTraceV2Format {
    /// The versions whose events this reader knows.
    static let knownVersions = [22, 23, 25, 26]

    public static let format = InputFormat(
        name: "gotrace-v2",
        summary: "Go execution trace of Go 1.22 to 1.27 (runtime/trace, /debug/pprof/trace, flight recorder)",
        suffixes: [".trace", ".out"],
        sniff: { bytes in
            if let version = GoTraceHeader.version(bytes) { return version >= 22 ? .yes : .no }
            return GoTraceHeader.isPrefix(bytes) ? .needMore : .no
        },
        open: { source, context throws(TraceError) in try GoTraceV2Reader(source, context) },
        divide: { source, count throws(TraceError) in try divide(source, into: count) })

    /// The part of a trace that begins with the generation at an offset, behind `count` others, and ends with the
    /// trace.
    public static func part(from offset: UInt64, behind count: Int) -> InputPart {
        InputPart { source, context throws(TraceError) in
            let reader = try GoTraceV2Reader(source, context, range: offset..<UInt64.max)
            reader.countGenerations(from: count)
            return reader
        }
    }

    /// Divides a trace between generations, in parts of about the same size. Each generation says anew
    /// what state every goroutine is in, so that a part can be read alone.
    /// - Returns: nil if there is damage: salvage needs what came before.
    private static func divide(_ source: ByteSource, into count: Int) throws(TraceError) -> [InputPart]? {
        let header = try source.prefix(GoTraceHeader.length)
        guard source.isSeekable, let size = source.size,
            let version = header.withUnsafeBytes(GoTraceHeader.version), knownVersions.contains(version)
        else { return nil }
        let diagnostics = Diagnostics()
        let first = UInt64(GoTraceHeader.length)
        var scanner = GenerationScanner(
            source: source, diagnostics: diagnostics, version: version, range: first..<UInt64.max)
        var offsets = [first]
        while case .generation = try scanner.next() {
            if scanner.offset < size { offsets.append(scanner.offset) }
        }
        guard scanner.offset >= size, diagnostics.nonZero.isEmpty, scanner.truncation == nil else { return nil }
        // The last generation of a program that was killed names few of its goroutines: it is no part by itself.
        var starts = [first]
        for offset in offsets.dropFirst().dropLast() where starts.count < count {
            let isEnough = offset - first >= (size - first) / UInt64(count) * UInt64(starts.count)
            if isEnough { starts.append(offset) }
        }
        let ends = starts.dropFirst() + [UInt64.max]
        return zip(starts, ends).map { start, end in
            InputPart { source, context throws(TraceError) in
                try GoTraceV2Reader(source, context, range: start..<end)
            }
        }
    }
}
