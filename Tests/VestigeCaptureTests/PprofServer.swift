import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// A server that answers as a test says.
final class PprofServer: Sendable {
    struct Answer: Sendable {
        var status = HTTPResponseStatus.ok
        var headers: HTTPHeaders = [:]
        var body: [UInt8] = []
        var delaySeconds = 0.0
        /// The connection is closed before the body's end.
        var isCut = false
        /// Nothing follows the head.
        var isSilent = false
    }

    let port: Int
    private let channel: any Channel

    /// - Parameter answer: called with the path and query of a request.
    init(host: String = "127.0.0.1", _ answer: @escaping @Sendable (String) -> Answer) throws {
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answer))
                }
            }
            .bind(host: host, port: 0).wait()
        port = channel.localAddress?.port ?? 0
    }

    deinit { channel.close(promise: nil) }

    /// Nobody listens any more when it returns.
    func stop() { try? channel.close().wait() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (String) -> Answer
        private var uri = ""

        init(_ answer: @escaping @Sendable (String) -> Answer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): uri = head.uri
            case .body: break
            case .end:
                let answer = answer(uri)
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: .milliseconds(Int64(answer.delaySeconds * 1000))) {
                    let (handler, context) = bound.value
                    handler.send(answer, context)
                }
            }
        }

        private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
            var headers = answer.headers
            headers.add(name: "Content-Length", value: "\(answer.body.count + (answer.isCut ? 100 : 0))")
            let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            if answer.isSilent { return }
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
            if answer.isCut {
                context.close(promise: nil)
            } else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
