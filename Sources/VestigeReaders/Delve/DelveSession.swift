import FoundationEssentials
import VestigeCore

/// Follows a conversation with a Delve server: which answer belongs to which request, when the target stands
/// still, and what is said of it meanwhile.
struct DelveSession {
    private let state: DelveState
    private var snapshot: DelveSnapshot
    private var lifecycle: DelveLifecycle
    private let decoder = JSONDecoder()
    /// Requests without their answers yet, by id.
    private var open: [String: (method: String, parameters: DelveParameters?)] = [:]
    /// More than these are forgotten: a client waits for nearly every answer.
    private static let openLimit = 4096
    private var now: Int64 = 0
    /// When the last resuming command was sent.
    private var lastResume: Int64?
    /// Whether the hits of this stop have been told.
    private var hasToldHits = false
    private var hasAnchor = false
    /// The first error that the server gave as an answer.
    private var firstError: String?
    /// Selected goroutine of the server, 0 if unknown.
    private var selected: Int64 = 0

    init(_ state: DelveState) {
        self.state = state
        snapshot = DelveSnapshot(state)
        lifecycle = DelveLifecycle(state)
    }

    mutating func take(_ message: DelveMessage) throws {
        note(message.moment)
        switch message.body {
        case .request(let method, let parameters): try takeRequest(method, parameters, message.id)
        case .answer(let result, let error):
            let request = open.removeValue(forKey: message.id)
            if let error {
                try takeError(decode(String.self, error), request?.method)
            } else if let result {
                try takeResult(result, request?.method, request?.parameters)
            }
        case .bareResult(let result): try takeResult(result, nil, nil)
        case .goroutine(let piece):
            if piece.isComplete { try takeGoroutine(piece, group: nil) }
        }
    }

    /// The end of the input.
    mutating func finish() { snapshot.end() }

    /// The error to throw where the server gave nothing else.
    func totalFailure(_ source: ByteSource) -> TraceError? {
        guard !state.hasEvents, let firstError else { return nil }
        return source.error(
            .damaged, at: nil, expected: "an answer of the debugger", found: "its error \"\(firstError)\"")
    }

    // MARK: - Time

    private mutating func note(_ moment: DelveMessage.Moment) {
        guard let time = moment.monotonicNanoseconds ?? moment.wallNanoseconds else { return }
        now = time
        guard !hasAnchor else { return }
        hasAnchor = true
        state.updateSource { $0.clock = moment.monotonicNanoseconds == nil ? .wall : .monotonic }
        guard let mono = moment.monotonicNanoseconds, let wall = moment.wallNanoseconds, mono >= 0 else { return }
        let clock = ClockSnapshot(
            traceNanoseconds: mono, monotonicNanoseconds: UInt64(mono), wallUnixNanoseconds: wall)
        state.emit(
            Event(kind: .sync, timeNanoseconds: mono, argument0: 1, argument1: state.tables.add(clock)))
    }

    // MARK: - Requests

    private mutating func takeRequest(_ method: String, _ parameters: JSONOutline.Piece?, _ id: String) throws {
        let name = method.hasPrefix("RPCServer.") ? String(method.dropFirst(10)) : method
        let parameters = parameters.flatMap { $0.isComplete ? try? decode(DelveParameters.self, $0) : nil }
        if open.count >= Self.openLimit { open.removeAll() }
        open[id] = (name, parameters)
        if name == "Command", Self.resumes(parameters) {
            snapshot.resumedAfter = hasAnchor ? now : nil
            endStop()
            lastResume = hasAnchor ? now : nil
        }
    }

    private static func resumes(_ parameters: DelveParameters?) -> Bool {
        !["halt", "switchGoroutine", "switchThread"].contains(parameters?.command ?? "")
    }

    private mutating func endStop() {
        snapshot.end()
        hasToldHits = false
        selected = 0
    }

    private mutating func begin() {
        guard snapshot.isEmpty else { return }
        snapshot.timeNanoseconds = now
        snapshot.stoppedAfter = lastResume
    }

    // MARK: - Answers

    private mutating func takeError(_ text: String, _ method: String?) {
        // That a program is over is no failure of the debugger.
        if text.hasPrefix("Process "), text.contains(" has exited with status ") { return }
        let line = String(text.prefix { $0 != "\n" })
        if firstError == nil { firstError = line }
        state.diagnostics.count(.answersFailed)
        state.diagnostics.record(
            TraceError(
                .damaged, file: state.path, context: method.map { [$0] } ?? [], expected: "an answer of the debugger",
                found: "its error \"\(line)\""))
    }

    private mutating func takeResult(
        _ result: JSONOutline.Piece, _ method: String?, _ parameters: DelveParameters?
    ) throws {
        let members = JSONOutline(bytes: result.bytes).members()
        var isUsed = false
        for (name, piece) in members {
            isUsed = isUsed || Self.knownMembers.contains(name)
            switch name {
            case "Goroutines":
                let groups = members.first { $0.name == "Groups" }?.value
                try takeGoroutines(piece, groups: groups)
                if members.contains(where: { $0.name == "TooManyGroups" && $0.value.bytes.elementsEqual("true".utf8) })
                {
                    state.diagnostics.count(.listingsIncomplete)
                }
            case "Locations" where method != "FindLocation": try takeStack(piece, parameters)
            case "Ancestors": try takeAncestors(piece, parameters)
            case "State": try takeState(piece, isCommand: method == "Command")
            case "Threads":
                for thread in JSONOutline(bytes: piece.bytes).elements() where thread.isComplete {
                    takeThread(try decode(DelveThread.self, thread))
                }
            case "Thread": if piece.isComplete { takeThread(try decode(DelveThread.self, piece)) }
            case "TargetGoVersion": try takeVersion(result)
            case "Variable": try takeVariable(piece, parameters)
            default: break
            }
        }
        if !isUsed, !members.isEmpty { state.diagnostics.count(.detailsLeftOut) }
    }

    private static let knownMembers: Set<String> = [
        "Goroutines", "Locations", "Ancestors", "State", "Threads", "Thread", "TargetGoVersion", "Variable",
    ]

    private mutating func takeVersion(_ result: JSONOutline.Piece) throws {
        guard result.isComplete else { return }
        let version = try decode(DelveVersionRecord.self, result)
        if let text = version.targetGo, let go = GoVersion(text) { state.learn(go) }
        guard let text = version.delve, let start = text.firstPlace(of: "Version: ")?.upperBound else { return }
        let number = text[start...].prefix { $0 != "\n" }
        state.updateSource { $0.formatVersion = "Delve \(number)" }
    }

    /// The runtime's own word for its version, if a client asked for it.
    private func takeVariable(_ piece: JSONOutline.Piece, _ parameters: DelveParameters?) throws {
        let variable = piece.isComplete ? try decode(DelveVariable.self, piece) : nil
        let name = variable?.name ?? parameters?.expression
        if name == "runtime.buildVersion", let go = GoVersion(variable?.value ?? "") {
            state.learn(go)
        } else {
            state.diagnostics.count(.detailsLeftOut)
        }
    }

    // MARK: - Goroutines

    private mutating func takeGoroutines(_ piece: JSONOutline.Piece, groups: JSONOutline.Piece?) throws {
        let groups = try groups.flatMap { $0.isComplete ? try decode([DelveGroup]?.self, $0) : nil } ?? []
        begin()
        for (index, element) in JSONOutline(bytes: piece.bytes).elements().enumerated() where element.isComplete {
            let group = groups.first { ($0.offset ?? 0) <= index && index < ($0.offset ?? 0) &+ ($0.count ?? 0) }
            try takeGoroutine(element, group: group)
        }
        for group in groups { addRest(of: group) }
    }

    private mutating func takeGoroutine(_ piece: JSONOutline.Piece, group: DelveGroup?) throws {
        begin()
        let known = DelveRecordBytes.goroutine(piece.bytes, state)
        var goroutine = try known ?? state.goroutine(decode(DelveGoroutineRecord.self, piece))
        goroutine.group = state.intern(group?.name ?? "")
        goroutine.isSelected = goroutine.id != 0 && goroutine.id == selected
        if let known = snapshot[goroutine.id], !known.isThread, known.status != nil, !known.isSameMoment(as: goroutine)
        {
            // The same goroutine in another condition: a listing of another moment, which no command announces.
            endStop()
            begin()
        }
        snapshot.add(goroutine)
    }

    /// Delve sends a few members of each group, and how many there are.
    private mutating func addRest(of group: DelveGroup) {
        let rest = (group.total ?? 0) &- (group.count ?? 0)
        guard rest > 0 else { return }
        var others = DelveGoroutine()
        others.count = UInt64(rest)
        others.group = state.intern(group.name ?? "")
        others.doubts = [state.intern("members of the group that Delve leaves out")]
        snapshot.add(others)
    }

    private mutating func takeStack(_ piece: JSONOutline.Piece, _ parameters: DelveParameters?) throws {
        begin()
        var goroutine = DelveGoroutine()
        let elements = JSONOutline(bytes: piece.bytes).elements().filter(\.isComplete)
        guard !elements.isEmpty else { return }
        if !fill(&goroutine, elements) {
            state.fill(&goroutine, try elements.map { try decode(DelveFrame.self, $0) })
        }
        goroutine.isStackComplete = goroutine.isStackComplete && piece.isComplete
        goroutine.id = parameters?.id ?? 0
        if goroutine.id < 0 { goroutine.id = selected }
        if goroutine.id <= 0 {
            goroutine.id = 0
            goroutine.doubts = [state.intern("whose stack this is is not said")]
        }
        snapshot.add(goroutine)
    }

    /// - Returns: false where a frame is not written as usual.
    private func fill(_ goroutine: inout DelveGoroutine, _ elements: [JSONOutline.Piece]) -> Bool {
        var frames: [Frame] = []
        frames.reserveCapacity(elements.count)
        var isBottom = false
        for element in elements {
            guard let read = DelveRecordBytes.frame(element.bytes, state) else { return false }
            frames.append(read.frame)
            isBottom = read.isBottom
        }
        state.fill(&goroutine, frames, isComplete: isBottom)
        return true
    }

    private mutating func takeAncestors(_ piece: JSONOutline.Piece, _ parameters: DelveParameters?) throws {
        begin()
        var goroutine = DelveGoroutine()
        goroutine.id = max(0, parameters?.goroutineID ?? 0)
        for element in JSONOutline(bytes: piece.bytes).elements() where element.isComplete {
            let record = try decode(DelveAncestorRecord.self, element)
            goroutine.ancestors.append(
                Ancestor(
                    goroutine: GoroutineID(record.id ?? -1), stack: state.stack(record.stack ?? []), creation: .unknown)
            )
        }
        guard !goroutine.ancestors.isEmpty else { return }
        if goroutine.id == 0 { goroutine.doubts = [state.intern("whose creators these are is not said")] }
        snapshot.add(goroutine)
    }

    // MARK: - State and threads

    private mutating func takeState(_ piece: JSONOutline.Piece, isCommand: Bool) throws {
        guard piece.isComplete else { return }
        let record = try decode(DelveDebuggerState.self, piece)
        if record.isRunning == true || record.hasExited == true { return }
        begin()
        let threads = record.threads ?? record.currentThread.map { [$0] } ?? []
        if !hasToldHits {
            for thread in threads where thread.breakPoint != nil { tell(thread) }
            hasToldHits = threads.contains { $0.breakPoint != nil }
        }
        if let current = record.currentGoroutine, current.id != 0 {
            selected = current.id
            var goroutine = state.goroutine(current)
            goroutine.isSelected = true
            snapshot.add(goroutine)
        }
        for thread in threads { takeThread(thread) }
    }

    private mutating func takeThread(_ record: DelveThread) {
        begin()
        if let goroutine = record.breakPointInfo?.goroutine { snapshot.add(state.goroutine(goroutine)) }
        var thread = DelveGoroutine()
        thread.isThread = true
        thread.id = max(0, record.goroutineID ?? 0)
        thread.count = thread.id == 0 ? 0 : 1
        thread.thread = record.id
        thread.runtimeLocation = state.location(record.location)
        snapshot.add(thread)
    }

    private mutating func tell(_ thread: DelveThread) {
        guard let breakpoint = thread.breakPoint else { return }
        let isReturn = breakpoint.isReturn ?? false
        var hit = DelveHit(kind: isReturn ? .return : breakpoint.isTracepoint ?? false ? .trace : .stop)
        hit.goroutine = max(0, thread.goroutineID ?? 0)
        hit.thread = thread.id
        hit.name = breakpoint.name ?? ""
        hit.function = thread.function?.name ?? breakpoint.functionName ?? ""
        let frames = thread.breakPointInfo?.stacktrace ?? []
        hit.stack = frames.isEmpty ? state.location(thread.location) : state.stack(frames)
        let info = thread.breakPointInfo
        for variable in [info?.arguments, thread.returnValues, info?.variables, info?.locals].flatMap({ $0 ?? [] }) {
            hit.values.append((variable.name ?? "", variable.text()))
        }
        if let id = breakpoint.id { hit.facts.append(("id", "\(id)")) }
        if let count = breakpoint.totalHitCount { hit.facts.append(("hits", "\(count)")) }
        lifecycle.emit(hit, at: now)
    }

    // MARK: - Decoding

    private func decode<Value: Decodable>(_ type: Value.Type, _ piece: JSONOutline.Piece) throws -> Value {
        do {
            return try decoder.decode(type, from: Data(piece.bytes))
        } catch {
            throw PieceDefect(piece: piece.bytes, defect: LineDefect(error))
        }
    }
}
