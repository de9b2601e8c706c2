import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import Vestige

/// Fetches an execution trace and, while it is being recorded, goroutine profiles from net/http/pprof, so that
/// they are of the same moments and can be joined.
public struct PprofCapture {
    public struct File: Sendable {
        public let name: String
        public let byteCount: UInt64
    }

    public struct Summary: Sendable {
        /// What was fetched, the trace first.
        public var files: [File] = []
        /// What is missing or doubtful, in sentences.
        public var notes: [String] = []
    }

    private struct Profile: Sendable {
        let fileName: String
        /// Path behind `/debug/pprof/`, with its query.
        let name: String
        let beginning: [UInt8]
        /// How long the program may take before it sends anything, besides the time-out.
        var seconds: Double = 0
    }

    private static let trace = "app.trace"
    private static let gzip: [UInt8] = [0x1f, 0x8b]
    private static let dump = Profile(
        fileName: "goroutines.txt", name: "goroutine?debug=2", beginning: Array("goroutine ".utf8))
    private static let profile = Profile(fileName: "goroutines.pb.gz", name: "goroutine", beginning: gzip)
    private static let leaks = Profile(fileName: "goroutineleak.pb.gz", name: "goroutineleak", beginning: gzip)
    /// Names of all files that there may be.
    public static let fileNames = [trace, dump.fileName, profile.fileName, leaks.fileName]

    private let address: PprofAddress
    private let seconds: Double
    private let timeoutSeconds: Double
    // Of one thread: the folder is used by one request at a time.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// - Parameters:
    ///   - seconds: how long the trace is recorded.
    ///   - timeoutSeconds: how long to wait for a connection, and for an answer to go on.
    public init(_ address: PprofAddress, seconds: Double, timeoutSeconds: Double) {
        self.address = address
        self.seconds = seconds
        self.timeoutSeconds = timeoutSeconds
    }

    /// Captures into a folder, which the caller commits.
    /// - Throws: `unreadable` if the program does not answer as it should, `outputFailed` for the folder.
    public func run(into folder: OutputFolder) throws(TraceError) -> Summary {
        // Closes all connections, so that nobody holds the folder any more.
        defer { try? group.syncShutdownGracefully() }
        let sinks = Sinks(folder)
        let trace = fetch(
            Profile(
                fileName: Self.trace, name: "trace?seconds=\(seconds)", beginning: Array("go 1.".utf8),
                seconds: seconds), sinks)
        // In the middle, so that neither a slow network nor a slow start takes a dump out of the trace.
        try wait(seconds: seconds / 2, unlessFailed: trace)
        var summary = Summary()
        var files: [File] = []
        for profile in [Self.dump, Self.profile] {
            files.append(try file(profile, fetch(profile, sinks)))
            if trace.hasEnded { summary.notes.append("the trace had ended before \(profile.fileName) was complete") }
        }
        // Last, since it makes the garbage collector look for them.
        switch try answer(Self.leaks, fetch(Self.leaks, sinks)) {
        case .complete(let count): files.append(File(name: Self.leaks.fileName, byteCount: count))
        case .refused(let status, let text):
            summary.notes.append(
                "no profile of goroutines that leak: \(status.code) \(text) "
                    + "(Go 1.27 has it, Go 1.26 with GOEXPERIMENT=goroutineleakprofile)")
        }
        let traced = Profile(fileName: Self.trace, name: "trace", beginning: [])
        summary.files = [try file(traced, trace)] + files
        return summary
    }

    // MARK: - Requests

    /// The folder that requests write into, on the one thread of their event loop.
    private final class Sinks: @unchecked Sendable {
        private let folder: OutputFolder

        init(_ folder: OutputFolder) { self.folder = folder }

        func make(_ name: String) throws(TraceError) -> any ByteSink {
            try folder.sink(named: name, isCompressedAlready: true)
        }
    }

    /// An answer that is on its way.
    private struct Fetch: Sendable {
        let answer: EventLoopFuture<PprofRequest.Answer>
        private let state: NIOLockedValueBox<Bool>

        init(_ answer: EventLoopFuture<PprofRequest.Answer>) {
            self.answer = answer
            let state = NIOLockedValueBox(false)
            self.state = state
            answer.whenComplete { _ in state.withLockedValue { $0 = true } }
        }

        var hasEnded: Bool { state.withLockedValue { $0 } }
    }

    private func fetch(_ profile: Profile, _ sinks: Sinks) -> Fetch {
        let loop = group.next()
        let promise = loop.makePromise(of: PprofRequest.Answer.self)
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "\(address.path)/\(profile.name)",
            headers: [
                "Host": address.authority, "User-Agent": "vestige/\(vestigeVersion)", "Accept-Encoding": "identity",
                "Connection": "close",
            ])
        let silence = TimeAmount.milliseconds(Int64((profile.seconds + timeoutSeconds) * 1000))
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.milliseconds(Int64(timeoutSeconds * 1000)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(readTimeout: silence))
                    try pipeline.addHTTPClientHandlers()
                    let request = PprofRequest(head, beginning: profile.beginning, promise: promise) {
                        () throws(TraceError) in try sinks.make(profile.fileName)
                    }
                    try pipeline.addHandler(request)
                }
            }
        bootstrap.connect(host: address.host, port: address.port).whenFailure { promise.fail($0) }
        return Fetch(promise.futureResult)
    }

    private func file(_ profile: Profile, _ fetch: Fetch) throws(TraceError) -> File {
        switch try answer(profile, fetch) {
        case .complete(let count): return File(name: profile.fileName, byteCount: count)
        case .refused(let status, let text):
            throw error(profile, "\(status.code) \(status.reasonPhrase): \(text)")
        }
    }

    private func answer(_ profile: Profile, _ fetch: Fetch) throws(TraceError) -> PprofRequest.Answer {
        do { return try fetch.answer.wait() } catch let error as TraceError { throw error } catch {
            throw self.error(profile, describe(error))
        }
    }

    /// Waits while the trace is being recorded.
    private func wait(seconds: Double, unlessFailed trace: Fetch) throws(TraceError) {
        let turn = group.next().makePromise(of: Void.self)
        trace.answer.whenComplete { _ in turn.succeed() }
        group.next().scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { turn.succeed() }
        try? turn.futureResult.wait()
        if trace.hasEnded { _ = try file(Profile(fileName: Self.trace, name: "trace", beginning: []), trace) }
    }

    // MARK: - Errors

    private func error(_ profile: Profile, _ found: String) -> TraceError {
        TraceError(
            .unreadable, file: "\(address)/\(profile.name)", expected: "a profile from net/http/pprof", found: found)
    }

    private func describe(_ error: any Error) -> String {
        switch error {
        case let failure as PprofRequest.Failure:
            switch failure {
            case .silence: "nothing for \(timeoutSeconds) seconds (--timeout)"
            case .closedEarly: "a connection that closed before the end"
            case .unexpected(let content): content
            }
        case let failure as NIOConnectionError:
            "no connection (\(failure.connectionErrors.first.map { reason($0.error) } ?? "no address for \(failure.host)"))"
        case is ChannelError: "no connection (\(reason(error)))"
        case HTTPParserError.invalidEOFState: describe(PprofRequest.Failure.closedEarly)
        case let error as HTTPParserError: "no HTTP (\(error))"
        default: "no connection (\(reason(error)))"
        }
    }

    private func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return systemErrorText(error.errnoCode) }
        if case ChannelError.connectTimeout = error { return "no answer in time" }
        return "\(error)"
    }
}
