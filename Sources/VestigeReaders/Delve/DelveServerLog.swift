import VestigeCore

/// The server's own log (`--log --log-output=rpc`): `TIME debug layer=rpc <- RPCServer.Method(pkg.TypeIn{json})`
/// and `-> *pkg.TypeOut{json} error: "…"`; other lines are passed over.
final class DelveServerLog: DelveMessageSource {
    static let marker = "debug layer=rpc "
    private let lines: LineReader
    /// The request that the next answer without a number belongs to, and those with numbers.
    private var lastID = ""
    private var count: UInt64 = 0

    init(_ source: ByteSource) { lines = LineReader(source) }

    var source: ByteSource { lines.source }

    func next() throws(TraceError) -> DelveInputValue? {
        while let line = try lines.next() {
            let bytes = Array(line)[...]
            guard let message = message(bytes) else { continue }
            return DelveInputValue(
                messages: [message], bytes: bytes, offset: lines.offset, line: lines.number, truncation: nil)
        }
        return nil
    }

    private func message(_ line: ArraySlice<UInt8>) -> DelveMessage? {
        guard let marker = line.firstPlace(of: Self.marker) else { return nil }
        let time = line.prefixText(upTo: UInt8(ascii: " ")).flatMap { RFC3339.nanoseconds($0) }
        var rest = line[marker.upperBound...]
        var number = ""
        if rest.dropPrefix("(async ") { number = rest.dropText(upTo: ")") ?? ""; _ = rest.dropPrefix(" ") }
        var message: DelveMessage?
        if rest.dropPrefix("<- ") {
            message = request(rest, number)
        } else if rest.dropPrefix("-> ") {
            message = answer(rest, number)
        }
        message?.moment.wallNanoseconds = time
        return message
    }

    private func request(_ text: ArraySlice<UInt8>, _ number: String) -> DelveMessage? {
        var text = text
        guard let method = text.dropText(upTo: "(") else { return nil }
        count += 1
        if number.isEmpty { lastID = "sync \(count)" }
        return DelveMessage(
            body: .request(method: method, parameters: object(text)), id: number.isEmpty ? lastID : number)
    }

    private func answer(_ text: ArraySlice<UInt8>, _ number: String) -> DelveMessage? {
        let result = object(text)
        var error: JSONOutline.Piece?
        let rest = text[(result?.bytes.endIndex ?? text.startIndex)...]
        if let place = rest.firstPlace(of: "error: ") {
            let quoted = rest[place.upperBound...]
            if !quoted.elementsEqual("\"\"".utf8) { error = JSONOutline.Piece(bytes: quoted, isComplete: true) }
        }
        return DelveMessage(body: .answer(result: result, error: error), id: number.isEmpty ? lastID : number)
    }

    /// The JSON object behind a type's name.
    private func object(_ text: ArraySlice<UInt8>) -> JSONOutline.Piece? {
        guard let start = text.firstIndex(of: UInt8(ascii: "{")) else { return nil }
        let array = Array(text[start...])
        var scanner = JSONEndScanner()
        var position = 0
        let end = scanner.findEnd(array, from: &position)
        return JSONOutline.Piece(bytes: text[start..<(end.map { start + $0 } ?? text.endIndex)], isComplete: end != nil)
    }
}
