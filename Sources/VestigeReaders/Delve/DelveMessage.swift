/// A message of Delve's JSON-RPC, or one that a log holds, by its pieces.
struct DelveMessage {
    enum Body {
        case request(method: String, parameters: JSONOutline.Piece?)
        /// `error` is a JSON string, if there was one.
        case answer(result: JSONOutline.Piece?, error: JSONOutline.Piece?)
        /// A result without what is around it.
        case bareResult(JSONOutline.Piece)
        /// A goroutine by itself, out of a list.
        case goroutine(JSONOutline.Piece)
    }

    /// When the client sent or received it, on the monotonic clock of its machine and in Unix time.
    struct Moment {
        var monotonicNanoseconds: Int64?
        var wallNanoseconds: Int64?
    }

    var body: Body
    /// What pairs request and answer, as it is written; empty if missing.
    var id = ""
    var moment = Moment()

    /// The messages in one JSON value: a request, an answer, a record of a log with either or both, a result
    /// alone, or a list of these.
    static func messages(in value: JSONOutline.Piece, depth: Int = 0) -> [DelveMessage] {
        let outline = JSONOutline(bytes: value.bytes)
        if value.bytes.first == UInt8(ascii: "[") {
            return depth == 0 ? outline.elements().flatMap { messages(in: $0, depth: 1) } : []
        }
        let members = outline.members()
        func member(_ name: String) -> JSONOutline.Piece? { members.first { $0.name == name }?.value }
        func number(_ names: String...) -> Int64? {
            names.lazy.compactMap { member($0).flatMap { Int64(String(decoding: $0.bytes, as: UTF8.self)) } }.first
        }
        if member("request") != nil || member("response") != nil {
            var messages: [DelveMessage] = []
            if let request = member("request"), var message = single(request) {
                message.moment = Moment(
                    monotonicNanoseconds: number("send_mono_ns"), wallNanoseconds: number("send_wall_ns"))
                messages.append(message)
            }
            if let response = member("response"), var message = single(response) {
                message.moment = Moment(
                    monotonicNanoseconds: number("recv_mono_ns"), wallNanoseconds: number("recv_wall_ns"))
                messages.append(message)
            }
            return messages
        }
        return single(value, members).map { [$0] } ?? []
    }

    /// - Parameter known: its members, if they are known.
    private static func single(
        _ value: JSONOutline.Piece, _ known: [(name: String, value: JSONOutline.Piece)]? = nil
    ) -> DelveMessage? {
        let members = known ?? JSONOutline(bytes: value.bytes).members()
        func member(_ name: String) -> JSONOutline.Piece? { members.first { $0.name == name }?.value }
        let id = member("id").map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        if let method = member("method") {
            let name = String(decoding: method.bytes, as: UTF8.self).filter { $0 != "\"" }
            let parameters = member("params").flatMap { JSONOutline(bytes: $0.bytes).elements().first }
            return DelveMessage(body: .request(method: name, parameters: parameters), id: id)
        }
        if member("currentLoc") != nil { return DelveMessage(body: .goroutine(value)) }
        if member("result") != nil || member("error") != nil {
            let isNull = { (piece: JSONOutline.Piece) in piece.bytes.elementsEqual("null".utf8) }
            return DelveMessage(
                body: .answer(
                    result: member("result").flatMap { isNull($0) ? nil : $0 },
                    error: member("error").flatMap { isNull($0) || !$0.isComplete ? nil : $0 }), id: id)
        }
        return DelveMessage(body: .bareResult(value))
    }
}
