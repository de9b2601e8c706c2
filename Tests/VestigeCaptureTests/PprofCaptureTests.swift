import Foundation
import Synchronization
import Testing
import VestigeTestSupport

/// `vestige capture pprof` against a server that answers well, badly, or not at all.
@Suite(.serialized) struct PprofCaptureTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func sample(_ path: String) -> [UInt8] {
        [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: "\(PackagePaths.samples)/\(path)"))) ?? Data())
    }

    private static let trace = sample("gotrace-v2/orders/orders.trace")
    private static let text = sample("goroutine-dump/debug2-1.27/debug2-1.27.txt")
    private static let profile = sample("goroutine-dump/profile-1.27/profile-1.27.pb.gz")
    private static let leaks = sample("goroutine-dump/leak-profile-1.27/leak-profile-1.27.pb.gz")

    /// What a program of Go 1.27 answers; its trace takes as long as it is asked for.
    private static func answer(_ uri: String, base: String = "/debug/pprof/") -> PprofServer.Answer {
        guard uri.hasPrefix(base) else { return .init(status: .notFound, body: Array("404 page not found\n".utf8)) }
        switch uri.dropFirst(base.count) {
        case "goroutine?debug=2": return .init(body: text)
        case "goroutine": return .init(body: profile)
        case "goroutineleak": return .init(body: leaks)
        case let name where name.hasPrefix("trace?seconds="):
            return .init(body: trace, delaySeconds: Double(name.dropFirst("trace?seconds=".count)) ?? 60)
        default: return .init(status: .notFound, body: Array("Unknown profile\n".utf8))
        }
    }

    private func capture(_ address: String, _ more: String...) throws -> CommandResult {
        try CommandLineTool.run(
            ["capture", "pprof", address, "-o", "now", "--seconds", "0.4", "--timeout", "5"] + more, in: folder.path)
    }

    private func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.file("now"))) ?? []).sorted()
    }

    private func isUntouched() -> Bool { folder.names.isEmpty }

    @Test func allProfilesAreFetchedWhileTheTraceIsRecorded() throws {
        let begun = Mutex<[String: Date]>([:])
        let server = try PprofServer { uri in
            begun.withLock { $0[String(uri.split(separator: "/").last ?? "")] = Date() }
            return Self.answer(uri)
        }
        let result = try capture("localhost:\(server.port)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(names() == ["app.trace", "goroutineleak.pb.gz", "goroutines.pb.gz", "goroutines.txt"])
        #expect(try folder.read("now/app.trace") == Data(Self.trace))
        #expect(try folder.read("now/goroutines.txt") == Data(Self.text))
        #expect(try folder.read("now/goroutines.pb.gz") == Data(Self.profile))
        #expect(try folder.read("now/goroutineleak.pb.gz") == Data(Self.leaks))
        #expect(result.errors.contains("together: vestige convert now/app.trace now/goroutines.txt "))
        let times = begun.withLock { $0 }
        let start = try #require(times["trace?seconds=0.4"])
        for name in ["goroutine?debug=2", "goroutine", "goroutineleak"] {
            let delay = try #require(times[name]).timeIntervalSince(start)
            #expect(delay > 0.1, "\(name)")
        }
        // Again only with -f.
        #expect(try capture("localhost:\(server.port)").status == 2)
        #expect(try capture("localhost:\(server.port)", "-f").status == 0)
    }

    @Test func aServerWithoutTheLeakProfile() throws {
        for status in [404, 400] {
            let server = try PprofServer { uri in
                uri.hasSuffix("goroutineleak")
                    ? .init(status: .init(statusCode: status), body: Array("Unknown profile\n".utf8)) : Self.answer(uri)
            }
            let result = try capture("http://127.0.0.1:\(server.port)/", "-f")
            #expect(result.status == 0, "\(result.errors)")
            #expect(names() == ["app.trace", "goroutines.pb.gz", "goroutines.txt"])
            #expect(result.errors.contains("no profile of goroutines that leak: \(status) \"Unknown profile\""))
        }
    }

    @Test func addresses() throws {
        let server = try PprofServer { Self.answer($0, base: "/inner/debug/pprof/") }
        for path in ["/inner", "/inner/", "/inner/debug/pprof", "/inner/debug/pprof/goroutine"] {
            let result = try capture("http://127.0.0.1:\(server.port)\(path)", "-f")
            #expect(result.status == 0, "\(path): \(result.errors)")
        }
        #expect(try capture("127.0.0.1:\(server.port)", "-f").status == 3)
        for wrong in [
            "https://127.0.0.1:1", "ftp://x", "http://", "", "localhost:0", "localhost:99999", "localhost:http",
            "http://[::1", "http://[::1]x", "http://me@localhost", "localhost:1/a b", "localhost:1/?debug=1",
        ] {
            let result = try capture(wrong, "-f")
            #expect(result.status == 2, "\(wrong): \(result.errors)")
        }
        #expect(try capture("https://127.0.0.1:1").errors.contains("kubectl port-forward"))
    }

    @Test func internetProtocolVersion6() throws {
        guard let server = try? PprofServer(host: "::1", { Self.answer($0) }) else { return }
        #expect(try capture("http://[::1]:\(server.port)").status == 0)
    }

    @Test(arguments: ["trace", "goroutine?debug=2", "goroutine", "goroutineleak"])
    func whatGoesWrongLeavesNothing(_ profile: String) throws {
        let isAsked = { @Sendable (uri: String) in
            uri.hasSuffix("/" + profile) || profile == "trace" && uri.contains("/trace?")
        }
        let cases: [(String, @Sendable (PprofServer.Answer) -> PprofServer.Answer)] = [
            (
                "before the end",
                {
                    var a = $0; a.isCut = true; return a
                }
            ),
            (
                "nothing for",
                {
                    var a = $0; a.isSilent = true; return a
                }
            ),
            ("<html>", { _ in .init(body: Array("<html>please log in</html>".utf8)) }),
            ("nothing", { _ in .init() }),
            ("it leads to http://else/", { _ in .init(status: .found, headers: ["Location": "http://else/"]) }),
            (
                "tracing is already enabled",
                { _ in .init(status: .internalServerError, body: Array("tracing is already enabled".utf8)) }
            ),
        ]
        for (words, change) in cases {
            // A profile of leaks that is refused is none, and no failure.
            if profile == "goroutineleak", words.hasPrefix("it") || words.hasPrefix("tracing") { continue }
            let server = try PprofServer { uri in isAsked(uri) ? change(Self.answer(uri)) : Self.answer(uri) }
            let result = try CommandLineTool.run(
                [
                    "capture", "pprof", "localhost:\(server.port)", "-o", "now", "--seconds", "0.1", "--timeout", "0.5",
                ], in: folder.path)
            #expect(result.status == 3, "\(words): \(result.errors)")
            #expect(result.errors.contains(words), "\(words): \(result.errors)")
            #expect(result.errors.contains(profile), "\(words): \(result.errors)")
            #expect(isUntouched(), "\(words): \(folder.names)")
        }
    }

    @Test func nobodyAnswers() throws {
        let server = try PprofServer { Self.answer($0) }
        server.stop()
        let result = try capture("127.0.0.1:\(server.port)")
        #expect(result.status == 3 && result.errors.contains("no connection"), "\(result.errors)")
        #expect(isUntouched())
        let unknown = try capture("no-such-host.invalid:1")
        #expect(unknown.status == 3 && unknown.errors.contains("no address"), "\(unknown.errors)")
    }

    @Test func noRoomForTheOutput() throws {
        let server = try PprofServer { Self.answer($0) }
        try folder.write("x".utf8, to: "now")
        #expect(try capture("localhost:\(server.port)", "-f").status == 2)
        let result = try CommandLineTool.shell(
            "ulimit -f 1; vestige capture pprof localhost:\(server.port) -o small --seconds 0.1", in: folder.path)
        #expect(result.status == 5, "\(result.errors)")
        #expect(folder.names == ["now"])
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func interruptionLeavesNothing(_ signal: Int32) throws {
        let server = try PprofServer { Self.answer($0) }
        let exchange = try TemporaryFolder()
        try exchange.write([], to: "in")
        let process = try CommandLineTool.start(
            CommandLineTool.path, ["capture", "pprof", "localhost:\(server.port)", "-o", "now", "--seconds", "20"],
            in: folder.path, input: exchange.file("in"), output: exchange.file("out"), errors: exchange.file("err"))
        let deadline = Date(timeIntervalSinceNow: 30)
        while isUntouched(), Date() < deadline { usleep(5000) }
        #expect(!isUntouched())
        kill(process, signal)
        #expect(CommandLineTool.end(of: process) == .exit(128 + signal))
        #expect(isUntouched())
    }
}
