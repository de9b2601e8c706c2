import Foundation
import VestigeCore

/// Takes a snapshot of all goroutines of a program under a headless Delve, and leaves the program as it was:
/// running or stopped, without breakpoints of ours, whatever happens meanwhile.
public final class DelveCapture {
    public struct Options: Sendable {
        public var host = "127.0.0.1"
        public var port = ""
        /// Wait until this function is called, and take the snapshot there.
        public var breakpointFunction: String?
        /// Record births and deaths of goroutines for so long before the snapshot.
        public var lifecycleSeconds: Double?
        /// How long to wait for the breakpoint, and for each answer.
        public var timeoutSeconds: Double = 30
        public var allowsSingleClient = false

        public init() {}
    }

    public struct Summary: Sendable {
        public var goroutineCount = 0
        public var hitCount = 0
        /// What has become of the program and the server, in a sentence.
        public var leftBehind = ""
    }

    private let options: Options
    private let sink: any ByteSink
    private let isInterrupted: () -> Bool
    private var client: DelveClient
    private var isMulticlient = true
    /// Whether the program ran when we came; nil before that is known.
    private var wasRunning: Bool?
    /// Names of our breakpoints that are set.
    private var breakpoints: [String] = []
    private var pendingContinue: Int?
    private var summary = Summary()

    /// Connects.
    /// - Throws: `unreadable` if nobody answers.
    public init(_ options: Options, sink: any ByteSink, isInterrupted: @escaping () -> Bool) throws(TraceError) {
        self.options = options
        self.sink = sink
        self.isInterrupted = isInterrupted
        do throws(TCPConnection.Failure) {
            let connection = try TCPConnection(
                host: options.host, port: options.port, timeoutSeconds: options.timeoutSeconds)
            client = DelveClient(
                connection, timeoutSeconds: options.timeoutSeconds, firstID: 1, record: Self.record(sink))
            connection.isInterrupted = isInterrupted
        } catch {
            throw TraceError(
                .unreadable, file: "\(options.host):\(options.port)", expected: "a headless Delve (dlv --headless)",
                found: Self.describe(error))
        }
    }

    private static func record(_ sink: any ByteSink) -> (String) throws(TraceError) -> Void {
        { text throws(TraceError) in
            var bytes = Array(text.utf8)
            var failure: TraceError?
            bytes.withUnsafeMutableBytes { buffer in
                do throws(TraceError) { try sink.write(UnsafeRawBufferPointer(buffer)) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    /// Captures.
    /// - Throws: what went wrong, and in what state the program was left.
    public func run() throws(TraceError) -> Summary {
        var failure: DelveClient.Failure?
        do throws(DelveClient.Failure) {
            try checkServer()
            try stop()
            if let seconds = options.lifecycleSeconds { try recordLifecycle(seconds) }
            if let function = options.breakpointFunction { try waitFor(function) }
            try takeSnapshot()
        } catch { failure = error }
        // From here on nothing but the program's state matters.
        client.connection.isInterrupted = { false }
        client.timeoutSeconds = min(client.timeoutSeconds, 10)
        summary.leftBehind = restore()
        guard let failure else { return summary }
        throw error(failure)
    }

    private func error(_ failure: DelveClient.Failure) -> TraceError {
        if case .output(let error) = failure { return error }
        return TraceError(
            .unreadable, file: "\(options.host):\(options.port)", expected: "answers of a headless Delve",
            found: "\(Self.describe(failure)); \(summary.leftBehind)")
    }

    private static func describe(_ failure: DelveClient.Failure) -> String {
        switch failure {
        case .connection(let failure): describe(failure)
        case .server(let method, let text): "an error for \(method): \(text.prefix { $0 != "\n" })"
        case .output(let error): "\(error)"
        }
    }

    private static func describe(_ failure: TCPConnection.Failure) -> String {
        switch failure {
        case .dropped(let reason): "no connection (\(reason))"
        case .timedOut: "no answer in time"
        case .interrupted: "an interruption"
        }
    }

    // MARK: - Steps

    private struct StateAnswer: Decodable {
        var State: DebuggerState

        struct DebuggerState: Decodable {
            var Running: Bool?
            var exited: Bool?
            var Threads: [Thread]?
        }

        struct Thread: Decodable {
            var breakPoint: Breakpoint?
        }

        struct Breakpoint: Decodable { var name: String? }
    }

    private struct Multiclient: Decodable { var IsMulticlient: Bool? }

    private func checkServer() throws(DelveClient.Failure) {
        _ = try client.call("GetVersion", DelveClient.None())
        isMulticlient =
            try client.call("IsMulticlient", DelveClient.None(), as: Multiclient.self)?.IsMulticlient ?? true
        guard isMulticlient || options.allowsSingleClient else {
            throw .server(
                method: "IsMulticlient",
                text: "this Delve serves one client and ends with it; start it with --accept-multiclient, or allow it "
                    + "with --allow-single-client")
        }
    }

    private func state() throws(DelveClient.Failure) -> StateAnswer.DebuggerState? {
        try client.call("State", ["NonBlocking": true], as: StateAnswer.self)?.State
    }

    private func stop() throws(DelveClient.Failure) {
        wasRunning = try state()?.Running ?? false
        if wasRunning == true { try halt() }
    }

    /// Stops the program. Delve 1.20 answers with an error of its own (a nil pointer) where the program comes to
    /// stand by itself at that moment: then it stands all the same.
    private func halt() throws(DelveClient.Failure) {
        do throws(DelveClient.Failure) { _ = try client.call("Command", ["name": "halt"]) } catch {
            guard case .server = error, try comesToStand() else { throw error }
        }
    }

    private func comesToStand() throws(DelveClient.Failure) -> Bool {
        for _ in 0..<50 {
            if try state()?.Running == false { return true }
            usleep(20_000)
        }
        return false
    }

    private struct Breakpoint: Encodable {
        var Breakpoint: Properties

        struct Properties: Encodable {
            var name: String
            var functionName: String?
            var addr: UInt64?
            var line = -1
            var isTracepoint = false
            var isReturn = false
            var stacktrace = 0
            var variables: [String] = []

            enum CodingKeys: String, CodingKey {
                case name, functionName, addr, line, stacktrace, variables
                case isTracepoint = "continue"
                case isReturn = "traceReturn"
            }
        }
    }

    private func create(_ breakpoint: Breakpoint.Properties) throws(DelveClient.Failure) {
        // Noted first: if the answer is lost, it may be there all the same.
        breakpoints.append(breakpoint.name)
        _ = try client.call("CreateBreakpoint", Breakpoint(Breakpoint: breakpoint))
    }

    private struct Locations: Decodable { var Addrs: [UInt64]? }

    private func recordLifecycle(_ seconds: Double) throws(DelveClient.Failure) {
        try create(
            .init(
                name: "vestigeBirth", functionName: "runtime.newproc1", isTracepoint: true, stacktrace: 8,
                variables: ["callergp.goid", "fn.fn"]))
        let returns = try client.call("FunctionReturnLocations", ["FnName": "runtime.newproc1"], as: Locations.self)
        for (index, address) in (returns?.Addrs ?? []).enumerated() {
            try create(
                .init(
                    name: "vestigeBorn\(index)", addr: address, isReturn: true, stacktrace: 8,
                    variables: ["newg.goid", "newg.startpc", "newg.gopc"]))
        }
        try create(.init(name: "vestigeDeath", functionName: "runtime.goexit1", isTracepoint: true, stacktrace: 8))
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try goOn(until: deadline) != nil { summary.hitCount += 1 }
        try clearBreakpoints()
    }

    private func waitFor(_ function: String) throws(DelveClient.Failure) {
        try create(.init(name: "vestigeStop", functionName: function, stacktrace: 0))
        let deadline = ContinuousClock.now + .seconds(options.timeoutSeconds)
        while let state = try goOn(until: deadline) {
            if (state.Threads ?? []).contains(where: { $0.breakPoint?.name == "vestigeStop" }) { return }
        }
        throw .server(method: "Command", text: "\(function) was not called within \(options.timeoutSeconds) seconds")
    }

    /// Lets the program go on until its next stop.
    /// - Returns: nil if the time was up before; the program is stopped then too.
    private func goOn(until deadline: ContinuousClock.Instant) throws(DelveClient.Failure) -> StateAnswer.DebuggerState?
    {
        let left = deadline - ContinuousClock.now
        guard left > .zero else { return nil }
        let id = try client.send("Command", ["name": "continue"])
        pendingContinue = id
        let seconds = Double(left.components.seconds) + Double(left.components.attoseconds) / 1e18
        do throws(DelveClient.Failure) {
            let state = try client.answer(to: id, "Command", as: StateAnswer.self, timeoutSeconds: seconds)?.State
            pendingContinue = nil
            if state?.exited == true { throw .server(method: "Command", text: "the program has ended") }
            return state
        } catch {
            guard case .connection(.timedOut) = error else { throw error }
            try halt()
            pendingContinue = nil
            return nil
        }
    }

    private struct Page: Encodable {
        var Start: Int
        var Count = 1000
    }

    private struct Listing: Decodable {
        var Goroutines: [Entry]?
        var Nextg: Int?

        struct Entry: Decodable { var id: Int64 }
    }

    private struct StackRequest: Encodable {
        var Id: Int64
        var Depth = 100
    }

    private func takeSnapshot() throws(DelveClient.Failure) {
        _ = try state()
        var ids: [Int64] = []
        var next = 0
        while next >= 0 {
            let page = try client.call("ListGoroutines", Page(Start: next), as: Listing.self)
            ids += (page?.Goroutines ?? []).map(\.id)
            let following = page?.Nextg ?? -1
            // A server that does not move on would keep us for ever.
            next = following > next ? following : -1
        }
        for id in ids where id > 0 {
            do throws(DelveClient.Failure) { _ = try client.call("Stacktrace", StackRequest(Id: id)) } catch {
                guard case .server = error else { throw error }
            }
        }
        _ = try client.call("ListThreads", DelveClient.None())
        summary.goroutineCount = ids.count
    }

    // MARK: - Leaving

    private struct Clear: Encodable { var Name: String }

    private func clearBreakpoints() throws(DelveClient.Failure) {
        for name in breakpoints {
            do throws(DelveClient.Failure) { _ = try client.call("ClearBreakpoint", Clear(Name: name)) } catch {
                // It was never set, or is gone with the program.
                guard case .server = error else { throw error }
            }
        }
        breakpoints = []
    }

    /// Puts the program back into the state it was in; connects again if need be.
    /// - Returns: what the state is now.
    private func restore() -> String {
        for attempt in 0..<4 {
            do throws(DelveClient.Failure) { return try leave() } catch {
                guard case .connection(let failure) = error, attempt < 3 else {
                    return "the state of the program is not known (\(Self.describe(error))); \(advice)"
                }
                if case .interrupted = failure { continue }
                if !reconnect() { return "Delve cannot be reached any more; \(advice)" }
            }
        }
        return "the state of the program is not known; \(advice)"
    }

    private var advice: String {
        let names = breakpoints.isEmpty ? "" : ", clear the breakpoints \(breakpoints.joined(separator: ", "))"
        return wasRunning == true
            ? "it ran before and may be stopped now: connect with dlv\(names) and `continue`"
            : wasRunning == false ? "it was stopped before: connect with dlv\(names)" : "it was not touched"
    }

    private func leave() throws(DelveClient.Failure) -> String {
        if !isMulticlient { return try leaveSingleClient() }
        guard let wasRunning else { return "the program was not touched" }
        let now = try state()
        if now?.exited == true { return "the program has ended" }
        if now?.Running == true, !breakpoints.isEmpty || !wasRunning {
            try halt()
        }
        try clearBreakpoints()
        guard wasRunning else { return "the program is stopped, as before" }
        if try state()?.Running != true { _ = try client.send("Command", ["name": "continue"]) }
        for _ in 0..<50 {
            if try state()?.Running == true { return "the program runs, as before" }
            usleep(20_000)
        }
        return "the program was told to go on and is stopped again, perhaps at a breakpoint of others"
    }

    private struct Attachment: Decodable { var Answer: Bool? }

    /// Such a server ends with this connection, whatever is asked of it, and kills what it has started.
    private func leaveSingleClient() throws(DelveClient.Failure) -> String {
        let answer = try client.call("AttachedToExistingProcess", DelveClient.None(), as: Attachment.self)
        try clearBreakpoints()
        _ = try client.call("Detach", ["Kill": false])
        return answer?.Answer == true
            ? "Delve has ended with this connection, and the program goes on without it"
            : "Delve has ended with this connection, and the program that it had started with it"
    }

    private func reconnect() -> Bool {
        for _ in 0..<10 {
            if let connection = try? TCPConnection(host: options.host, port: options.port, timeoutSeconds: 5) {
                client = DelveClient(
                    connection, timeoutSeconds: 10, firstID: client.lastID + 1000, record: Self.record(sink))
                return true
            }
            usleep(200_000)
        }
        return false
    }
}
