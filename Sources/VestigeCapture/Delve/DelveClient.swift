import Foundation
import VestigeCore
import VestigeReaders

/// Speaks JSON-RPC with a headless Delve (API version 2): one request at a time, and a record of all of it
/// with times, in the form that the reader `delve-json` takes.
final class DelveClient {
    enum Failure: Error {
        case connection(TCPConnection.Failure)
        /// The server's own error.
        case server(method: String, text: String)
        case output(TraceError)
    }

    let connection: TCPConnection
    private let record: (String) throws(TraceError) -> Void
    private var received: [UInt8] = []
    private var nextID: Int
    var timeoutSeconds: Double

    /// - Parameter firstID: ids of one record must differ, also after connecting again.
    init(
        _ connection: TCPConnection, timeoutSeconds: Double, firstID: Int,
        record: @escaping (String) throws(TraceError) -> Void
    ) {
        self.connection = connection
        self.timeoutSeconds = timeoutSeconds
        self.record = record
        nextID = firstID
    }

    var lastID: Int { nextID }

    private struct Request<Parameters: Encodable>: Encodable {
        var method: String
        var params: [Parameters]
        var id: Int
    }

    private struct Answer<Result: Decodable>: Decodable {
        var result: Result?
        var error: String?
    }

    private struct Identity: Decodable { var id: Int }

    /// For results that do not matter.
    struct Anything: Decodable { init(from decoder: any Decoder) {} }

    struct None: Encodable {}

    /// Sends a request and waits for its answer.
    func call<Result: Decodable>(
        _ method: String, _ parameters: some Encodable, as: Result.Type = Anything.self, timeoutSeconds: Double? = nil
    ) throws(Failure) -> Result? {
        let id = try send(method, parameters)
        return try answer(to: id, method, as: Result.self, timeoutSeconds: timeoutSeconds)
    }

    /// Sends a request without waiting.
    func send(_ method: String, _ parameters: some Encodable) throws(Failure) -> Int {
        let id = nextID
        nextID += 1
        let request = Request(method: "RPCServer.\(method)", params: [parameters], id: id)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The requests are of strings, numbers and truth values: they can always be encoded.
        let text = String(decoding: try! encoder.encode(request), as: UTF8.self)
        try note("send", "request", text)
        do { try connection.send(Array((text + "\n").utf8)) } catch { throw .connection(error) }
        return id
    }

    func answer<Result: Decodable>(
        to id: Int, _ method: String, as: Result.Type = Anything.self, timeoutSeconds: Double? = nil
    ) throws(Failure) -> Result? {
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds ?? self.timeoutSeconds)
        while true {
            let bytes = try nextValue(until: deadline)
            try note("recv", "response", String(decoding: bytes, as: UTF8.self))
            guard let identity = try? JSONDecoder().decode(Identity.self, from: Data(bytes)), identity.id == id else {
                continue
            }
            guard let answer = try? JSONDecoder().decode(Answer<Result>.self, from: Data(bytes)) else {
                throw .server(method: method, text: "an answer that cannot be read")
            }
            if let error = answer.error { throw .server(method: method, text: error) }
            return answer.result
        }
    }

    private func nextValue(until deadline: ContinuousClock.Instant) throws(Failure) -> ArraySlice<UInt8> {
        var scanner = JSONEndScanner()
        var position = 0
        while true {
            if let end = scanner.findEnd(received, from: &position) {
                let value = received[..<end]
                received.removeSubrange(..<end)
                return value.drop { $0 <= 0x20 }
            }
            do { try connection.receive(into: &received, until: deadline) } catch { throw .connection(error) }
        }
    }

    private func note(_ direction: String, _ what: String, _ json: String) throws(Failure) {
        let mono = Self.nanoseconds(CLOCK_MONOTONIC)
        let wall = Self.nanoseconds(CLOCK_REALTIME)
        do {
            try record("{\"\(direction)_mono_ns\":\(mono),\"\(direction)_wall_ns\":\(wall),\"\(what)\":\(json)}\n")
        } catch { throw .output(error) }
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
