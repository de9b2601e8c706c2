import Glibc
import NIOCore
import NIOHTTP1

/// Answers requests of one connection for what a site holds, and no others.
final class ViewHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let site: ViewSite
    private let hosts: [String]
    private var head: HTTPRequestHead?

    init(site: ViewSite, port: Int) {
        self.site = site
        hosts = ["127.0.0.1:\(port)", "localhost:\(port)"]
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    /// A connection that is broken, or speaks no HTTP.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        // A page of another site whose name was made to resolve to this machine sends that name.
        let host = request.headers["Host"]
        guard host.count == 1, hosts.contains(host[0].lowercased()) else {
            return send(.misdirectedRequest, [:], .none, request, context)
        }
        // The path exactly as it was sent: nothing is decoded or resolved that could lead elsewhere.
        let path = request.uri.prefix { $0 != "?" }
        guard let resource = site.resource(at: String(path)) else {
            return send(.notFound, [:], .none, request, context)
        }
        let (body, headers) = content(of: resource, for: request)
        switch request.method {
        case .GET, .HEAD: send(body == nil ? .notFound : .ok, headers, body ?? .none, request, context)
        case .OPTIONS: send(.noContent, headers, .none, request, context)
        default: send(.methodNotAllowed, headers, .none, request, context)
        }
    }

    private enum Body {
        case none
        case text(String)
        case file(NIOFileHandle, byteCount: Int)
    }

    /// The body is nil for a file that cannot be read any more.
    private func content(of resource: ViewSite.Resource, for request: HTTPRequestHead) -> (Body?, HTTPHeaders) {
        var headers: HTTPHeaders = [
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
        ]
        switch resource {
        case .page(let page):
            headers.add(name: "Content-Type", value: "text/html; charset=utf-8")
            headers.add(name: "Content-Security-Policy", value: page.contentSecurityPolicy)
            return (.text(page.html), headers)
        case .file(let path, let type, let isTrace):
            headers.add(name: "Content-Type", value: type)
            if isTrace { allowViewer(request, &headers) }
            return (request.method == .GET || request.method == .HEAD ? Self.open(path) : Body.none, headers)
        }
    }

    /// Lets the viewer's site, and no other, read a trace. The last is what Chrome wants to know before a
    /// page of the network may fetch from this machine.
    private func allowViewer(_ request: HTTPRequestHead, _ headers: inout HTTPHeaders) {
        headers.add(name: "Vary", value: "Origin")
        guard let origin = site.viewerOrigin, request.headers["Origin"] == [origin] else { return }
        headers.add(name: "Access-Control-Allow-Origin", value: origin)
        headers.add(name: "Access-Control-Allow-Private-Network", value: "true")
    }

    private static func open(_ path: String) -> Body? {
        var status = stat()
        guard let handle = try? NIOFileHandle(_deprecatedPath: path) else { return nil }
        let isRead = try? handle.withUnsafeFileDescriptor { fstat($0, &status) == 0 }
        guard isRead == true, status.st_mode & S_IFMT == S_IFREG else {
            try? handle.close()
            return nil
        }
        return .file(handle, byteCount: Int(status.st_size))
    }

    private func send(
        _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: Body, _ request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var head = HTTPResponseHead(version: request.version, status: status, headers: headers)
        if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
        let isWanted = request.method != .HEAD
        let sent = context.eventLoop.makePromise(of: Void.self)
        switch body {
        case .none:
            if status != .noContent { head.headers.add(name: "Content-Length", value: "0") }
            context.write(wrapOutboundOut(.head(head)), promise: nil)
        case .text(let text):
            head.headers.add(name: "Content-Length", value: "\(text.utf8.count)")
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if isWanted {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            }
        case .file(let handle, let byteCount):
            head.headers.add(name: "Content-Length", value: "\(byteCount)")
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if isWanted, byteCount > 0 {
                let region = FileRegion(fileHandle: handle, readerIndex: 0, endIndex: byteCount)
                context.write(wrapOutboundOut(.body(.fileRegion(region))), promise: nil)
            }
            sent.futureResult.whenComplete { _ in try? handle.close() }
        }
        if !request.isKeepAlive {
            let channel = context.channel
            sent.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }
}
