import Foundation
import Testing
import VestigeTestSupport

/// `vestige view`, asked as a browser would ask.
@Suite struct ViewTests {
    private let orders = PackagePaths.sample("orders")

    @Test func servesTheConvertedTraceUnderItsToken() throws {
        let view = try Viewing([orders])
        #expect(view.addresses.count == 1)
        #expect(view.addresses[0].hasPrefix("http://127.0.0.1:\(view.port)/"))
        #expect(view.token.count == 32)
        let expected = try CommandLineTool.run(["convert", orders, "--to", "perfetto", "-o", "-"]).output
        let answer = try view.get("/\(view.token)/orders.pftrace")
        #expect(answer.status == 200)
        #expect(answer.body == expected)
        let page = try view.get("/\(view.token)/view/orders.pftrace")
        #expect(page.status == 200)
        #expect(page.text.contains("https://ui.perfetto.dev/#!/?mode=embedded"))
        #expect(page.text.contains("data-trace=\"../orders.pftrace\""))
        #expect(page.header("content-security-policy")?.contains("frame-src https://ui.perfetto.dev;") == true)
        #expect(try view.end() == .exit(130))
    }

    @Test func servesNothingElse() throws {
        let view = try Viewing([orders])
        let token = view.token
        let wrong = String(token.reversed())
        for path in [
            "/", "/\(wrong)/orders.pftrace", "/orders.pftrace", "/\(token)", "/\(token)/other", "/\(token)/view/",
            "/\(token)/../\(token)/orders.pftrace", "/\(token)/%6frders.pftrace", "/\(token)//orders.pftrace",
            "/\(token)/..%2f..%2fetc/passwd", "//etc/passwd", "/status", "*",
        ] {
            #expect(try view.get(path).status == 404, "\(path)")
        }
        #expect(try view.get("/\(token)/orders.pftrace", method: "POST").status == 405)
        let head = try view.get("/\(token)/orders.pftrace", method: "HEAD")
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.header("content-length") != "0")
        #expect(try view.end() == .exit(130))
    }

    /// The name of another site that was made to resolve to this machine.
    @Test func refusesOtherHosts() throws {
        let view = try Viewing([orders])
        for host in ["evil.example:\(view.port)", "127.0.0.1", "127.0.0.1:1", "", nil] {
            #expect(try view.get("/\(view.token)/orders.pftrace", host: host).status != 200)
        }
        #expect(try view.get("/\(view.token)/orders.pftrace", host: "localhost:\(view.port)").status == 200)
        #expect(try view.end() == .exit(130))
    }

    @Test func listensOnLoopbackOnly() throws {
        let view = try Viewing([orders])
        #expect(throws: POSIXError.self) { try HTTPExchange.connect("127.0.0.2", view.port) }
        #expect(throws: POSIXError.self) { try HTTPExchange.connect("::1", view.port) }
        #expect(try view.end() == .exit(130))
    }

    @Test func onlyTheViewersSiteMayRead() throws {
        let view = try Viewing([orders])
        let path = "/\(view.token)/orders.pftrace"
        for method in ["GET", "OPTIONS"] {
            let allowed = try view.get(path, method: method, headers: ["Origin: https://ui.perfetto.dev"])
            #expect(allowed.header("access-control-allow-origin") == "https://ui.perfetto.dev")
            let refused = try view.get(path, method: method, headers: ["Origin: https://evil.example"])
            #expect(refused.header("access-control-allow-origin") == nil)
        }
        let page = try view.get("/\(view.token)/", headers: ["Origin: https://ui.perfetto.dev"])
        #expect(page.header("access-control-allow-origin") == nil)
        #expect(try view.end() == .exit(130))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func leavesNothingBehind(_ signal: Int32) throws {
        let view = try Viewing([orders, PackagePaths.sample("gc")])
        #expect(view.addresses.count == 2)
        #expect(view.temporary.names.count == 1)
        let index = try view.get("/\(view.token)/")
        #expect(index.text.contains("view/orders.pftrace"))
        #expect(index.text.contains("view/gc.pftrace"))
        #expect(try view.end(signal) == .exit(128 + signal))
        #expect(view.temporary.names.isEmpty)
    }

    @Test(arguments: ["t.pftrace", "t.json", "t.json.gz", "t.pftrace.gz"])
    func servesViewerFormatsAsTheyAre(_ name: String) throws {
        let folder = try TemporaryFolder()
        let converted = try CommandLineTool.run(["convert", orders, "-o", folder.file(name)])
        #expect(converted.status == 0)
        let view = try Viewing([folder.file(name)])
        #expect(try view.get("/\(view.token)/\(name)").body == folder.read(name))
        #expect(try view.end() == .exit(130))
    }

    @Test func zstdIsPeeledOff() throws {
        let folder = try TemporaryFolder()
        for name in ["t.json", "t.json.zst"] {
            _ = try CommandLineTool.run(["convert", orders, "-o", folder.file(name)])
        }
        let view = try Viewing([folder.file("t.json.zst")])
        #expect(try view.get("/\(view.token)/t.json").body == folder.read("t.json"))
        #expect(try view.end() == .exit(130))
        #expect(view.temporary.names.isEmpty)
    }

    @Test func aPartOfARecording() throws {
        let options = ["--region", "pack", "--flows", "none", "--views", "regions,runtime", "--min-span", "1us"]
        let view = try Viewing([orders] + options)
        let expected = try CommandLineTool.run(["convert", orders, "--to", "perfetto", "-o", "-"] + options).output
        #expect(try view.get("/\(view.token)/orders.pftrace").body == expected)
        #expect(try view.end() == .exit(130))
    }

    @Test(arguments: [["--goroutine", "1"], ["--views", "procs"], ["--flows", "none"], ["--min-span", "1us"]])
    func noPartOfWhatIsShownAsItIs(_ options: [String]) throws {
        let folder = try TemporaryFolder()
        _ = try CommandLineTool.run(["convert", orders, "-o", folder.file("t.json")])
        let result = try CommandLineTool.run(["view", folder.file("t.json"), "--no-open", "--port", "0"] + options)
        #expect(result.status == 2)
        #expect(result.errors.contains("found a trace in a viewer's format"))
    }

    @Test func standardInput() throws {
        let view = try Viewing(["-"], input: orders)
        #expect(try view.get("/\(view.token)/standard_input.pftrace").status == 200)
        #expect(try view.end() == .exit(130))
        #expect(view.temporary.names.isEmpty)
    }

    @Test func hostileNames() throws {
        let folder = try TemporaryFolder()
        let name = "a\"<script>&'%2e\n.trace"
        try folder.write(try Data(contentsOf: URL(fileURLWithPath: orders)), to: name)
        try folder.write(try Data(contentsOf: URL(fileURLWithPath: orders)), to: "a__script___'%2e .trace")
        let view = try Viewing([folder.file(name), folder.file("a__script___'%2e .trace")])
        #expect(Set(view.addresses).count == 2)
        for address in view.addresses {
            let path = try #require(address.split(separator: "\(view.port)").last)
            #expect(path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) })
            let page = try view.get(String(path))
            #expect(page.status == 200)
            #expect(!page.text.contains("<script>&"))
        }
        #expect(try view.end() == .exit(130))
    }

    @Test func catapult() throws {
        let folder = try TemporaryFolder()
        let viewer = folder.file("trace_viewer_full.html")
        try folder.write("<viewer>".utf8, to: "trace_viewer_full.html")
        try folder.write("library".utf8, to: "webcomponents.min.js")
        let view = try Viewing([orders, "--catapult", viewer])
        let json = try CommandLineTool.run(["convert", orders, "--to", "chrome", "-o", "-"]).output
        #expect(try view.get("/\(view.token)/orders.json").body == json)
        #expect(try view.get("/\(view.token)/trace_viewer_full.html").text == "<viewer>")
        #expect(try view.get("/\(view.token)/webcomponents.min.js").text == "library")
        #expect(try view.get("/\(view.token)/view/orders.json").text.contains("../trace_viewer_full.html"))
        #expect(try view.end() == .exit(130))
        _ = try CommandLineTool.run(["convert", orders, "-o", folder.file("t.pftrace")])
        let refused = try CommandLineTool.run(["view", folder.file("t.pftrace"), "--catapult", viewer])
        #expect(refused.status == 2)
        #expect(refused.errors.contains("Perfetto's native format"))
    }

    @Test func browserGetsTheAddress() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\necho \"$1\" > '\(folder.file("address"))'\n".utf8, to: "browser")
        let view = try Viewing([orders], opens: "/bin/sh \(folder.file("browser"))", saying: "opened ")
        let deadline = Date(timeIntervalSinceNow: 30)
        while try !folder.names.contains("address") || folder.read("address").isEmpty, Date() < deadline {
            usleep(5000)
        }
        let address = try folder.text("address").trimmingCharacters(in: .newlines)
        #expect(address.hasPrefix("http://127.0.0.1:"))
        #expect(view.errors.contains(address))
        #expect(try view.end() == .exit(130))
    }

    @Test func refusals() throws {
        let view = try Viewing([orders])
        let taken = try CommandLineTool.run(["view", orders, "--no-open", "--port", "\(view.port)"])
        #expect(taken.status == 2)
        #expect(taken.errors.contains("port \(view.port)"))
        #expect(try view.end() == .exit(130))
        for (arguments, status) in [
            ([], 2), (["/no/such/file"], 3), ([orders, "--perfetto-ui", "ui"], 2), ([orders, "--catapult", "/no"], 2),
            ([orders, "--port", "65536"], 2), (["/etc/passwd"], 3),
        ] as [([String], Int32)] {
            #expect(try CommandLineTool.run(["view", "--no-open"] + arguments).status == status, "\(arguments)")
        }
    }
}

/// A `vestige view` that is running, on a port of its own.
private final class Viewing {
    /// The process's folder for temporary files.
    let temporary = try! TemporaryFolder()
    private let exchange = try! TemporaryFolder()
    private let process: pid_t
    private(set) var addresses: [String] = []
    private(set) var errors = ""
    private var isOver = false

    /// - Parameters:
    ///   - opens: the browser to open; nil for none.
    ///   - saying: what to wait for on standard error.
    init(_ arguments: [String], input: String = "/dev/null", opens: String? = nil, saying: String = "serving ") throws {
        let variables = ["TMPDIR=\(temporary.path)", "BROWSER=\(opens ?? "/bin/false")"]
        process = try CommandLineTool.start(
            "/usr/bin/env",
            variables + [CommandLineTool.path, "view", "--port", "0"] + (opens == nil ? ["--no-open"] : []) + arguments,
            in: nil, input: input, output: exchange.file("out"), errors: exchange.file("err"))
        let deadline = Date(timeIntervalSinceNow: 60)
        repeat {
            usleep(5000)
            errors = (try? exchange.text("err")) ?? ""
        } while !errors.contains(saying) && Date() < deadline && kill(process, 0) == 0
        addresses = try exchange.text("out").split(separator: "\n").map(String.init)
        try #require(errors.contains(saying), "\(errors)")
    }

    deinit { if !isOver { _ = try? end(SIGKILL) } }

    private var address: URLComponents? {
        (addresses.first ?? errors.split(separator: " ").last { $0.hasPrefix("http") }.map(String.init))
            .flatMap { URLComponents(string: $0.trimmingCharacters(in: .newlines)) }
    }
    var port: Int { address?.port ?? 0 }
    var token: String { String(address?.path.split(separator: "/").first ?? "") }

    func get(
        _ path: String, method: String = "GET", host: String? = "its own", headers: [String] = []
    ) throws -> HTTPExchange {
        let host = host == "its own" ? "127.0.0.1:\(port)" : host
        let lines = (host.map { ["Host: \($0)"] } ?? []) + headers + ["Connection: close"]
        return try HTTPExchange("\(method) \(path) HTTP/1.1", lines, port: port)
    }

    func end(_ signal: Int32 = SIGINT) throws -> ProcessEnd {
        isOver = true
        kill(process, signal)
        return CommandLineTool.end(of: process)
    }
}

/// One request, exactly as written, and the answer to it.
private struct HTTPExchange {
    let status: Int
    let body: Data
    private let headers: [String]

    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? {
        let prefix = "\(name): "
        return headers.first { $0.lowercased().hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    init(_ request: String, _ lines: [String], port: Int) throws {
        let socket = try Self.connect("127.0.0.1", port)
        defer { close(socket) }
        let text = ([request] + lines).joined(separator: "\r\n") + "\r\n\r\n"
        _ = text.withCString { send(socket, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        var answer = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(socket, &chunk, chunk.count, 0), count > 0 { answer += chunk[..<count] }
        let separator = try #require(answer.range(of: Data("\r\n\r\n".utf8)), "no answer to \(request)")
        headers = String(decoding: answer[..<separator.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        status = Int(headers[0].split(separator: " ")[1]) ?? 0
        body = Data(answer[separator.upperBound...])
    }

    /// - Throws: `POSIXError` if nobody listens there.
    @discardableResult
    static func connect(_ address: String, _ port: Int) throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, "\(port)", &hints, &found) == 0, let found else { throw POSIXError(.EINVAL) }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
        guard descriptor >= 0, Glibc.connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            defer { close(descriptor) }
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL)
        }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }
}
