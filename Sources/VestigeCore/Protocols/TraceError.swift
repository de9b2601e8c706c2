/// What is wrong with an input, an output or a request, and where.
///
/// Reads as `orders.trace: byte 40213, generation 3, batch of thread 5: expected a varint of at
/// most 10 bytes, found 11`.
public struct TraceError: Error, Equatable, CustomStringConvertible, Sendable {
    public enum Code: Sendable {
        /// Nothing could be read: missing file, directory, unknown format, empty input.
        case unreadable
        /// The input is damaged from here on; what came before was delivered.
        case damaged
        /// The input ends before it should.
        case truncated
        /// The request makes no sense: unknown format name, output exists.
        case usage
        /// The output could not be written.
        case outputFailed
        /// Whoever read the output has closed it (a pipe); not a failure.
        case outputClosed
    }

    public var code: Code
    /// The file, as the user named it.
    public var file: String?
    /// Absolute offset of the first offending byte, after decompression.
    public var byteOffset: UInt64?
    /// Which generation, batch, section or line it is in, outermost first.
    public var context: [String] = []
    public var expected: String
    public var found: String
    /// Lines of the request that show where it is wrong, to follow the message; nil for none.
    public var excerpt: String?

    public init(
        _ code: Code, file: String? = nil, byteOffset: UInt64? = nil, context: [String] = [],
        expected: String, found: String
    ) {
        self.code = code
        self.file = file
        self.byteOffset = byteOffset
        self.context = context
        self.expected = expected
        self.found = found
    }

    public var description: String {
        var places: [String] = []
        if let byteOffset { places.append("byte \(byteOffset)") }
        places += context
        let parts = [file, places.isEmpty ? nil : places.joined(separator: ", ")].compactMap { $0 }
        return (parts + ["expected \(expected), found \(found)"]).joined(separator: ": ")
    }

    /// The same error with one more layer of context, or the file if none is set.
    public func adding(context outer: String? = nil, file: String? = nil) -> TraceError {
        var error = self
        if let outer { error.context.insert(outer, at: 0) }
        if error.file == nil { error.file = file }
        return error
    }
}
