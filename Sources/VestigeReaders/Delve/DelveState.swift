import VestigeCore

/// What both Delve readers share: where events go, what time it is, and what is known of the versions.
final class DelveState {
    let tables: TraceTables
    let diagnostics: Diagnostics
    private let source: UInt8
    let path: String
    var reasons = WaitReasons()

    /// Events that no batch has had room for yet.
    private var queue: [Event] = []
    private var delivered = 0
    private var lastTime: Int64?
    private(set) var hasEvents = false
    /// Number of the stop or listing that observations belong to; from 1.
    private(set) var snapshotNumber: UInt64 = 1
    /// Goroutines share the few places and functions of a program.
    private var descriptions: [StackID: StringID] = [:]
    private var pins: [StringID: WaitReasonPin?] = [:]

    init(_ context: ReaderContext, path: String) {
        tables = context.tables
        diagnostics = context.diagnostics
        source = context.source
        self.path = path
        if let version = context.goVersion.flatMap({ GoVersion($0) }) { learn(version) }
    }

    func nextSnapshot() { snapshotNumber += 1 }

    // MARK: - Events

    var isQueueEmpty: Bool { delivered == queue.count }

    /// Hands out what is waiting, as far as there is room.
    func deliver(into batch: inout EventBatch) {
        let count = min(batch.room, queue.count - delivered)
        for event in queue[delivered..<delivered + count] { batch.append(event) }
        delivered += count
        if delivered == queue.count {
            queue.removeAll(keepingCapacity: true)
            delivered = 0
        }
    }

    /// Adds an event; its time is moved forward where it lies before that of the last one.
    func emit(_ event: Event) {
        var event = event
        event.source = source
        if let lastTime, event.timeNanoseconds < lastTime {
            diagnostics.count(.timesClamped)
            event.timeNanoseconds = lastTime
        }
        lastTime = event.timeNanoseconds
        hasEvents = true
        queue.append(event)
    }

    // MARK: - The source

    func updateSource(_ change: (inout SourceInfo) -> Void) {
        guard tables.sources.indices.contains(Int(source)) else { return }
        change(&tables.sources[Int(source)])
    }

    func learn(_ version: GoVersion) {
        if version.minor > WaitReasonTables.lastKnownMinor { diagnostics.count(.unknownVersion) }
        reasons.learn(goMinor: version.minor)
        updateSource { $0.goVersion = version.text }
    }

    /// Takes the Go version from where the runtime's sources lie, unless something better has told it.
    func learn(runtimePath path: StringID, function: StringID) {
        guard !reasons.isVersionKnown, tables.strings.bytes(function).starts(with: "runtime.".utf8) else { return }
        if let version = GoVersion(runtimePath: tables.strings.string(path)) { learn(version) }
    }

    // MARK: - Strings and stacks

    func intern(_ text: String) -> StringID { tables.strings.intern(text) }

    func intern(_ bytes: ArraySlice<UInt8>) -> StringID {
        bytes.withUnsafeBytes { tables.strings.intern($0) }
    }

    func attribute(_ name: String, _ value: StringID) -> Attribute { Attribute(name: intern(name), value: value) }
    func attribute(_ name: String, _ value: String) -> Attribute { attribute(name, intern(value)) }

    func location(_ frame: Frame) -> StackID {
        learn(runtimePath: frame.file, function: frame.function)
        return tables.stacks.intern(frame, caller: .absent)
    }

    /// The function of the innermost frame.
    func function(_ stack: StackID) -> String {
        stack == .absent ? "" : tables.strings.string(tables.stacks.node(stack).frame.function)
    }

    /// A place as an attribute shows it: `main.work /src/main.go:64 (0x5aea0a)`.
    func describe(_ location: StackID) -> StringID {
        if let known = descriptions[location] { return known }
        let frame = tables.stacks.node(location).frame
        var text = Array(tables.strings.bytes(frame.function))
        text += Array(" ".utf8) + tables.strings.bytes(frame.file)
        text += Array(":\(frame.line) (0x\(String(frame.programCounter, radix: 16)))".utf8)
        let description = intern(text[...])
        descriptions[location] = description
        return description
    }

    /// What a function in a stack says of what its goroutine waits for.
    func pin(frame function: StringID) -> WaitReasonPin? {
        if let known = pins[function] { return known }
        let pin = WaitReasonPin.of(frame: tables.strings.string(function))
        pins.updateValue(pin, forKey: function)
        return pin
    }
}
