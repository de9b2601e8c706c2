import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Vestige

/// Serves traces and the pages that show them, to this machine's browsers only.
public struct ViewServer {
    /// The only port from which Perfetto's UI fetches a trace that its address names: its
    /// Content-Security-Policy has `http://127.0.0.1:9001` in it and no other loopback address.
    public static let deepLinkPort: UInt16 = 9001

    /// The port that browsers can connect to.
    public let port: UInt16
    private let channel: any Channel

    /// Starts to serve.
    /// - Parameter port: on 127.0.0.1; 0 for any that is free.
    /// - Throws: `usage` if the port is taken or may not be listened on.
    public init(_ site: ViewSite, port: UInt16) throws(TraceError) {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(
                        ViewHandler(site: site, port: channel.localAddress?.port ?? 0))
                }
            }
        do {
            channel = try bootstrap.bind(host: "127.0.0.1", port: Int(port)).wait()
        } catch {
            throw TraceError(.usage, expected: "a port to listen on", found: Self.reason(error, port))
        }
        self.port = UInt16(truncatingIfNeeded: channel.localAddress?.port ?? 0)
    }

    private static func reason(_ error: any Error, _ port: UInt16) -> String {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: "port \(port), which another program listens on; --port 0 takes any that is free"
        case EACCES: "port \(port), for which this user has no permission; --port 0 takes any that is free"
        default: "port \(port): \((error as? IOError).map { String(describing: $0) } ?? "\(error)")"
        }
    }

    /// Returns when the server has been stopped.
    public func wait() { try? channel.closeFuture.wait() }

    /// Stops it.
    public func stop() { try? channel.close().wait() }
}
