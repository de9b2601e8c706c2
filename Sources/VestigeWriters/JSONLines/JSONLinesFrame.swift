import VestigeCore

// The first and the last line of an output.
extension TextBuffer {
    /// The `Header`: what is known of the sources before they are read. What they tell only in the
    /// end stands in the trailer, and not here, so that the output does not depend on how far the
    /// reader was ahead.
    func appendHeaderLine(sources: [SourceInfo]) {
        append("{\"kind\":\"Header\",\"format\":")
        appendJSONString(EventIR.formatName)
        append(",\"version\":")
        append(EventIR.version)
        append(",\"units\":{\"t\":\"ns\",\"clock\":\"ns\",\"attrs\":\"bytes\"}")
        appendSources(sources, isFinal: false)
        append("}\n")
    }

    /// The `Trailer`: how many events there were, what was lost before they got here, and all that
    /// is known of the sources.
    func appendTrailerLine(eventCount: UInt64, sources: [SourceInfo], diagnostics: Diagnostics?) {
        append("{\"kind\":\"Trailer\",\"events\":")
        append(eventCount)
        append(",\"losses\":{")
        var separator: StaticString = ""
        for counter in Diagnostics.Counter.allCases {
            guard let count = diagnostics?[counter], count > 0 else { continue }
            append(separator)
            appendJSONString(counter.rawValue)
            append(":")
            append(count)
            separator = ","
        }
        append("}")
        appendSources(sources, isFinal: true)
        append("}\n")
    }

    private func appendSources(_ sources: [SourceInfo], isFinal: Bool) {
        append(",\"sources\":[")
        for (index, source) in sources.enumerated() {
            append(index == 0 ? "{\"path\":" : ",{\"path\":")
            appendJSONString(source.path)
            appendOptional(",\"process\":", source.process)
            append(",\"format\":")
            appendJSONString(source.format)
            appendOptional(",\"format_version\":", source.formatVersion)
            appendOptional(",\"go_version\":", source.goVersion)
            append(",\"clock\":")
            appendJSONString(source.clock.rawValue)
            appendAlignments(source.alignments)
            if isFinal {
                appendOptional(",\"ticks_per_second\":", source.ticksPerSecond)
                appendOptional(",\"generations\":", source.generationCount.map { UInt64(max($0, 0)) })
                appendOptional(",\"bytes\":", source.byteCount)
            }
            append("}")
        }
        append("]")
    }

    private func appendAlignments(_ alignments: [SourceAlignment]) {
        guard !alignments.isEmpty else { return }
        var separator: StaticString = ",\"alignment\":[{\"by\":"
        for alignment in alignments {
            append(separator)
            appendJSONString(alignment.method.rawValue)
            append(",\"t\":")
            append(alignment.timeNanoseconds)
            for (key, count) in [
                (",\"agreeing\":" as StaticString, alignment.agreeing), (",\"differing\":", alignment.differing),
                (",\"unseen\":", alignment.unseen), (",\"rivals\":", alignment.rivals),
            ] {
                append(key)
                append(count)
            }
            if let rival = alignment.rivalNanoseconds {
                append(",\"rival_t\":")
                append(rival)
            }
            append("}")
            separator = ",{\"by\":"
        }
        append("]")
    }

    private func appendOptional(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        append(key)
        appendJSONString(value)
    }

    private func appendOptional(_ key: StaticString, _ value: UInt64?) {
        guard let value else { return }
        append(key)
        append(value)
    }
}
