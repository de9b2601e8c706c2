import Glibc
import Vestige

/// Standard output for results, standard error for everything else.
enum Console {
    /// Writes to standard output.
    /// - Throws: `outputFailed`, or `outputClosed` if the reader of a pipe has gone.
    static func write(_ text: String) throws(TraceError) {
        let sink = DescriptorSink(descriptor: 1, path: "standard output")
        var text = text
        let result = text.withUTF8 { bytes -> Result<Void, TraceError> in
            Result { () throws(TraceError) in try sink.write(UnsafeRawBufferPointer(bytes)) }
        }
        try result.get()
    }

    /// One message on standard error. Where that fails there is nobody to tell.
    static func say(_ message: String) {
        var line = "vestige: \(escaped(message))\n"
        line.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// A text of several lines on standard error.
    static func sayLines(_ text: String) {
        var text =
            text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
            .joined(separator: "\n") + "\n"
        text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    static func fail(_ error: TraceError) -> ExitStatus {
        if error.code != .outputClosed {
            say(error.description)
            if let excerpt = error.excerpt { sayLines(excerpt) }
        }
        return ExitStatus(error)
    }

    /// Names and contents of files are not to be trusted: control characters (also those that
    /// reverse the direction of text) could make a terminal show something else.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7f..<0xa0: result += "\\x\(scalar.value < 16 ? "0" : "")\(hex(scalar))".unicodeScalars
            case 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: result += "\\u{\(hex(scalar))}".unicodeScalars
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func hex(_ scalar: Unicode.Scalar) -> String { String(scalar.value, radix: 16) }
}
