import VestigeCore

/// The page that lists the parts of a recording. It needs no other file, and runs no script.
struct IndexPage {
    let title: String
    let format: OutputFormat
    /// Where the recording begins.
    let origin: Int64
    let parts: [PartSummary]

    func write(to sink: any ByteSink) throws(TraceError) {
        let buffer = TextBuffer(sink)
        defer { buffer.deallocate() }
        buffer.append(
            """
            <!DOCTYPE html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em }
            table { border-collapse: collapse; width: 100% }
            th, td { border-bottom: 1px solid #8884; padding: .3em .6em; text-align: right; white-space: nowrap }
            th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere }
            td { font-variant-numeric: tabular-nums }
            </style>
            <title>
            """)
        buffer.appendHTML(title)
        buffer.append("</title>\n<h1>")
        buffer.appendHTML(title)
        buffer.append("</h1>\n<p>")
        buffer.appendHTML(introduction)
        buffer.append(
            """
            </p>
            <table>
            <thead><tr><th>part</th><th>begins</th><th>ends</th><th>lasts</th><th>events</th>\
            <th>goroutines at its end</th><th>size</th></tr></thead>
            <tbody>

            """)
        for part in parts {
            append(part, to: buffer)
            try buffer.flushIfNeeded()
        }
        buffer.append("</tbody>\n</table>\n</html>\n")
        try buffer.flush()
    }

    private var introduction: String {
        let total = parts.reduce(0) { $0 &+ $1.eventCount }
        var text = "\(Units.counted(total, "event")) in \(Units.counted(UInt64(parts.count), "part")). Times are since "
        text += "the recording's begin. Each part can be opened by itself: it begins with the states in which "
        text += "everything was. What crosses a border is in both parts, marked as clipped."
        if format.viewer != nil { text += " Open a part in https://ui.perfetto.dev" }
        if format.name == ChromeJSONFormat.format.name { text += " or chrome://tracing" }
        if format.viewer != nil { text += "." }
        if parts.first?.name.lowercased().hasSuffix(".zst") ?? false {
            text += " Viewers do not read .zst: unpack a part before."
        }
        return text
    }

    private func append(_ part: PartSummary, to buffer: TextBuffer) {
        buffer.append("<tr><td><a href=\"")
        buffer.appendRelativeURL(part.name)
        buffer.append("\">")
        buffer.appendHTML(part.name)
        buffer.append("</a>")
        for cell in [
            Self.seconds(part.startNanoseconds &- origin), Self.seconds(part.endNanoseconds &- origin),
            Units.duration(part.endNanoseconds &- part.startNanoseconds), Units.grouped(part.eventCount),
            Units.grouped(UInt64(part.goroutineCount)), Units.bytes(part.byteCount),
        ] {
            buffer.append("</td><td>")
            buffer.appendHTML(cell)
        }
        buffer.append("</td></tr>\n")
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        "\(Units.decimal(Double(nanoseconds) / 1e9, digits: 6)) s"
    }
}

extension TextBuffer {
    /// Text of an HTML document, also within quotes. Control characters, which HTML does not allow, become U+FFFD.
    func appendHTML(_ text: String) {
        let shown = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "\u{fffd}" : $0 }
        append(Markup.escaped(String(String.UnicodeScalarView(shown))))
    }

    /// A file's name as a link beside it: `./`, so that a colon makes no scheme of it, and all but letters, digits
    /// and a few harmless characters in hexadecimal.
    func appendRelativeURL(_ name: String) {
        append("./")
        for byte in name.utf8 {
            let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            if isLetter || isDigit || "-._~".utf8.contains(byte) {
                append(byte: byte)
            } else {
                append(byte: UInt8(ascii: "%"))
                withUnsafeBytes(of: byte) { appendHex($0.assumingMemoryBound(to: UInt8.self)) }
            }
        }
    }
}
