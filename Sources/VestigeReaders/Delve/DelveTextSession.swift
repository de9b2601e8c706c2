import VestigeCore

/// Follows what a client prints, line by line: what is being shown, and to which goroutine it belongs.
struct DelveTextSession {
    let state: DelveState
    var snapshot: DelveSnapshot
    var lifecycle: DelveLifecycle
    var stack = DelveStackText()
    /// To whom the lines of a stack belong.
    var owner = Owner.unknown
    /// The goroutine that commands without a number are about; 0 if that is not known.
    var selected: Int64 = 0
    var listing: Listing?
    var hit: OpenHit?
    /// Who created the owner of the stack, by Delve's words before each further stack.
    var ancestors: [Ancestor] = []
    var ancestor: GoroutineID?
    var ancestorHost: (owner: Owner, goroutine: DelveGoroutine)?
    /// A line that no one has claimed: it may be the name of a group.
    var plain: ArraySlice<UInt8>?
    var isClient = false
    var now: Int64 = 0
    var place: (line: UInt64, offset: UInt64) = (0, 0)
    private(set) var totalFailure: TraceError?

    enum Owner: Equatable {
        /// Nobody is named: the selected goroutine, if one is known.
        case unknown
        case goroutine(Int64)
        /// An entry of the snapshot, by its place.
        case entry(Int)
        /// An entry that Delve could not read: the stack below it is another's.
        case unreadable(Int)
        case hit
    }

    /// A listing of goroutines that has begun.
    struct Listing {
        var count: Int64 = 0
        var isGrouped = false
        /// Of the group that is open.
        var group = StringID.empty
        var groupCount: Int64 = 0
        /// `print` of a channel lists its goroutines without a line at the end.
        var hasNoEnd = false
    }

    struct OpenHit {
        var line: DelveHitLine
        var nesting = NestingScanner()
        var stack = StackID.absent
        var values: [(name: String, value: String)] = []
        var lineCount = 0
    }

    init(_ state: DelveState) {
        self.state = state
        snapshot = DelveSnapshot(state)
        lifecycle = DelveLifecycle(state)
    }

    mutating func begin(at time: Int64?) {
        guard let time else { return }
        now = time
        state.updateSource { $0.clock = .wall }
    }

    mutating func take(_ line: DelveTextLine, number: UInt64, offset: UInt64) {
        place = (number, offset)
        if goesOn(line) { return }
        if takeGoroutine(line) || takeHit(line) || takeStack(line) || takeListingEnd(line) || takeDetail(line)
            || takeThread(line) || takeRemark(line)
        {
            return
        }
        notePlain(line.body)
    }

    mutating func finish() {
        closeListing(atEnd: nil)
        closeStack()
        closeHit()
        dropPlain()
        snapshot.end()
    }

    // MARK: - Goroutines of a listing

    mutating func takeGoroutine(_ line: DelveTextLine) -> Bool {
        guard DelveGoroutineLine.begins(line.body) else { return false }
        closeStack()
        if line.tabs == 0 || hit == nil { closeHit() }
        guard let parsed = DelveGoroutineLine(line.body) else {
            state.diagnostics.count(.linesUnknown)
            record(expected: "a goroutine as Delve prints it", found: line.body)
            listing?.count += 1
            return true
        }
        openListing(isMember: line.tabs > 0)
        let goroutine = goroutine(parsed)
        if goroutine.id != 0, snapshot[goroutine.id].map({ !$0.isThread && $0.userLocation != .absent }) ?? false {
            snapshot.end()
        }
        snapshotBegins()
        let place = snapshot.add(goroutine)
        owner = goroutine.unreadable == .empty ? .entry(place) : .unreadable(place)
        if parsed.isSelected { selected = parsed.id }
        listing?.count += 1
        listing?.groupCount += 1
        return true
    }

    mutating func openListing(isMember: Bool) {
        var open = listing ?? Listing(hasNoEnd: isChannel(plain))
        if isMember, open.groupCount == 0 {
            open.isGrouped = true
            open.group = state.intern(plain ?? [])
            plain = nil
        }
        listing = open
        dropPlain()
    }

    func isChannel(_ line: ArraySlice<UInt8>?) -> Bool {
        line?.starts(with: "Goroutines waiting on this channel".utf8) ?? false
    }

    func goroutine(_ line: DelveGoroutineLine) -> DelveGoroutine {
        var goroutine = DelveGoroutine()
        goroutine.id = line.id
        goroutine.thread = line.thread
        goroutine.reasonWords = state.intern(line.reason)
        goroutine.waitSince = line.waitSince
        goroutine.unreadable = state.intern(line.unreadable)
        goroutine.isSelected = line.isSelected
        goroutine.group = listing?.group ?? .empty
        let location = location(line.place)
        switch line.kind {
        case .user: goroutine.userLocation = location
        case .runtime: goroutine.runtimeLocation = location
        case .go: goroutine.goLocation = location
        case .start: goroutine.startLocation = location
        }
        return goroutine
    }

    func location(_ place: DelveTextLine.Place?) -> StackID {
        guard let place, place.isKnown else { return .absent }
        return state.location(
            Frame(
                programCounter: place.programCounter, function: state.intern(place.function),
                file: state.intern(place.file), line: place.line))
    }

    mutating func takeListingEnd(_ line: DelveTextLine) -> Bool {
        var body = line.body
        if line.tabs == 1, body.dropPrefix("Total: "), let total = body.dropNumber(), body.isEmpty {
            closeStack()
            addRest(of: total)
            return true
        }
        if body.elementsEqual("Too many groups".utf8) {
            state.diagnostics.count(.listingsIncomplete)
            return true
        }
        guard line.tabs == 0, body.dropPrefix("["), let count = body.dropNumber(),
            body.elementsEqual(" goroutines]".utf8)
        else { return false }
        closeStack()
        closeListing(atEnd: count)
        return true
    }

    /// Delve prints five members of a group, and how many there are.
    mutating func addRest(of total: Int64) {
        let group = listing?.group ?? .empty
        let rest = total - min(total, listing?.groupCount ?? 0)
        listing?.groupCount = 0
        listing?.group = .empty
        owner = .unknown
        guard rest > 0 else { return }
        var others = DelveGoroutine()
        others.count = UInt64(rest)
        others.group = group
        others.doubts = [state.intern("members of the group that Delve leaves out")]
        snapshotBegins()
        snapshot.add(others)
    }

    /// - Parameter count: what Delve says at the end of a listing; nil if something else ends it.
    mutating func closeListing(atEnd count: Int64?) {
        guard let open = listing else { return }
        listing = nil
        owner = .unknown
        let isWhole = count.map { $0 == open.count } ?? (open.isGrouped || open.hasNoEnd)
        if !isWhole { state.diagnostics.count(.listingsIncomplete) }
    }

    // MARK: - All else

    mutating func takeRemark(_ line: DelveTextLine) -> Bool {
        if line.hasPrompt {
            takeCommand(line.body)
            return true
        }
        var body = line.body
        if body.dropPrefix("Switched from "), let id = body.firstPlace(of: " to ") {
            closeStack()
            closeListing(atEnd: nil)
            body = body[id.upperBound...]
            selected = body.dropNumber() ?? 0
            return true
        }
        if let version = body.firstPlace(of: "is too old for Go version ") {
            if let go = GoVersion(body[version.upperBound...].text) { state.learn(go) }
            return true
        }
        if body.elementsEqual("Delve Debugger".utf8) {
            isClient = true
            return true
        }
        if isClient, body.dropPrefix("Version: 1.") {
            isClient = false
            if let minor = body.dropNumber() { state.reasons.learn(delveMinor: Int(clamping: minor)) }
            return true
        }
        return takeError(line.body)
    }

    /// `(dlv) goroutine 34 bt`: whose stack comes. What lets the target go on ends the stop.
    mutating func takeCommand(_ command: ArraySlice<UInt8>) {
        closeStack()
        closeListing(atEnd: nil)
        closeHit()
        owner = .unknown
        var command = command
        if command.dropPrefix("goroutine ") || command.dropPrefix("gr "), let id = command.dropNumber(),
            !command.isEmpty
        {
            owner = .goroutine(id)
            return
        }
        let word = command.prefix { $0 != 0x20 }.text
        let resuming = [
            "c", "continue", "n", "next", "s", "step", "so", "stepout", "si", "step-instruction", "rebuild",
            "r", "restart", "ni", "next-instruction", "rw", "rewind",
        ]
        if resuming.contains(word) {
            snapshot.end()
            selected = 0
        }
    }

    mutating func takeError(_ body: ArraySlice<UInt8>) -> Bool {
        if body.firstPlace(of: " has exited with status ") != nil {
            closeStack()
            closeListing(atEnd: nil)
            closeHit()
            snapshot.end()
            selected = 0
            return true
        }
        if body.elementsEqual("interrupted".utf8), listing != nil {
            closeStack()
            closeListing(atEnd: nil)
            return true
        }
        guard Self.isError(body) else { return false }
        closeStack()
        closeListing(atEnd: nil)
        closeHit()
        state.diagnostics.count(.answersFailed)
        record(expected: "an answer of the debugger", found: body)
        return true
    }

    /// The errors of the commands that are read here.
    static func isError(_ body: ArraySlice<UInt8>) -> Bool {
        body.starts(with: "Command failed: ".utf8) || body.starts(with: "no G executing on thread ".utf8)
            || [": unknown goroutine ", ": no G executing on thread ", ": wrong argument: "].contains {
                body.firstPlace(of: $0) != nil
            }
    }

    mutating func record(expected: String, found: ArraySlice<UInt8>) {
        let error = TraceError(
            .damaged, file: state.path, byteOffset: place.offset, context: ["line \(place.line)"], expected: expected,
            found: "\"\(found.prefix(200).text)\"")
        state.diagnostics.record(error)
        if !state.hasEvents, snapshot.isEmpty, hit == nil, totalFailure == nil { totalFailure = error }
    }

    mutating func snapshotBegins() {
        totalFailure = nil
        if snapshot.isEmpty { snapshot.timeNanoseconds = now }
    }

    mutating func notePlain(_ body: ArraySlice<UInt8>) {
        // Remarks within a listing belong to no goroutine; the name of the next group ends the stack above it.
        closeStack()
        dropPlain()
        plain = body
    }

    mutating func dropPlain() {
        if plain != nil { state.diagnostics.count(.detailsLeftOut) }
        plain = nil
    }
}
