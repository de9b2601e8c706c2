import NIOCore
import NIOHTTP1
import VestigeCore

/// One request for a profile, over a connection of its own. What comes is written as it comes.
final class PprofRequest: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    enum Answer: Sendable {
        case complete(byteCount: UInt64)
        /// The server's status, and the first line of what it says.
        case refused(status: HTTPResponseStatus, text: String)
    }

    enum Failure: Error {
        case silence
        case closedEarly
        /// Not what the profile begins with.
        case unexpected(content: String)
    }

    private let head: HTTPRequestHead
    private let beginning: [UInt8]
    private let makeSink: () throws(TraceError) -> any ByteSink
    private let promise: EventLoopPromise<Answer>
    private var refusal: HTTPResponseStatus?
    private var contentType = ""
    private var location: String?
    private var sink: (any ByteSink)?
    private var byteCount: UInt64 = 0
    /// The first bytes, until they are known to be right.
    private var first: [UInt8] = []

    /// - Parameters:
    ///   - beginning: the bytes that the profile begins with.
    ///   - makeSink: called when the server begins to send it.
    init(
        _ head: HTTPRequestHead, beginning: [UInt8], promise: EventLoopPromise<Answer>,
        makeSink: @escaping () throws(TraceError) -> any ByteSink
    ) {
        self.head = head
        self.beginning = beginning
        self.promise = promise
        self.makeSink = makeSink
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            switch unwrapInboundIn(data) {
            case .head(let head): take(head)
            case .body(let bytes): try take(bytes)
            case .end:
                try finish()
                context.close(promise: nil)
            }
        } catch { fail(error, context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return fail(Failure.silence, context) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

    /// After the end this changes nothing any more.
    func channelInactive(context: ChannelHandlerContext) { promise.fail(Failure.closedEarly) }

    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        promise.fail(error)
        context.close(promise: nil)
    }

    private func take(_ head: HTTPResponseHead) {
        // Others that begin with 1 announce the real one.
        if head.status.code < 200 { return }
        if head.status != .ok { refusal = head.status }
        contentType = head.headers.first(name: "Content-Type") ?? "no type"
        location = head.headers.first(name: "Location")
    }

    private func take(_ bytes: ByteBuffer) throws {
        byteCount += UInt64(bytes.readableBytes)
        if refusal != nil || sink == nil {
            first += bytes.readableBytesView
            if refusal != nil { first = Array(first.prefix(300)) }
            guard refusal == nil, first.count >= beginning.count else { return }
            try begin()
            try first.withUnsafeBytes { try sink?.write($0) }
            first = []
        } else {
            try bytes.withUnsafeReadableBytes { try sink?.write($0) }
        }
    }

    private func begin() throws {
        guard first.starts(with: beginning) else {
            throw Failure.unexpected(content: "\(contentType): \(Self.firstLine(first))")
        }
        sink = try makeSink()
    }

    private func finish() throws {
        if let refusal {
            let target = location.map { "it leads to \($0)" }
            return promise.succeed(.refused(status: refusal, text: target ?? Self.firstLine(first)))
        }
        if sink == nil { throw Failure.unexpected(content: byteCount == 0 ? "nothing" : Self.firstLine(first)) }
        promise.succeed(.complete(byteCount: byteCount))
    }

    private static func firstLine(_ bytes: [UInt8]) -> String {
        let line = bytes.prefix(100).prefix { $0 != 0x0a && $0 != 0x0d }
        return "\"" + String(decoding: line.map { (0x20...0x7e).contains($0) ? $0 : 0x3f }, as: UTF8.self) + "\""
    }
}
