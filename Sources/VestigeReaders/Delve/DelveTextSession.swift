import VestigeCore

/// Follows what a client prints, line by line: what is being shown, and to which goroutine it belongs.
struct DelveTextSession {
    let state: DelveState
    var snapshot: DelveSnapshot
    private var lifecycle: DelveLifecycle
    var stack = DelveStackText()
    /// To whom the lines of a stack belong.
    var owner = Owner.unknown
    /// The goroutine that commands without a number are about; 0 if that is not known.
    private var selected: Int64 = 0
    var listing: Listing?
    private var hit: OpenHit?
    /// Who created the owner of the stack, by Delve's words before each further stack.
    private var ancestors: [Ancestor] = []
    private var ancestor: GoroutineID?
    private var ancestorHost: (owner: Owner, goroutine: DelveGoroutine)?
    /// A line that no one has claimed: it may be the name of a group.
    private var plain: ArraySlice<UInt8>?
    private var isClient = false
    private var now: Int64 = 0
    private var place: (line: UInt64, offset: UInt64) = (0, 0)
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

    private struct OpenHit {
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

    private mutating func takeGoroutine(_ line: DelveTextLine) -> Bool {
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

    private mutating func openListing(isMember: Bool) {
        var open = listing ?? Listing(hasNoEnd: isChannel(plain))
        if isMember, open.groupCount == 0 {
            open.isGrouped = true
            open.group = state.intern(plain ?? [])
            plain = nil
        }
        listing = open
        dropPlain()
    }

    private func isChannel(_ line: ArraySlice<UInt8>?) -> Bool {
        line?.starts(with: "Goroutines waiting on this channel".utf8) ?? false
    }

    private func goroutine(_ line: DelveGoroutineLine) -> DelveGoroutine {
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

    private func location(_ place: DelveTextLine.Place?) -> StackID {
        guard let place, place.isKnown else { return .absent }
        return state.location(
            Frame(
                programCounter: place.programCounter, function: state.intern(place.function),
                file: state.intern(place.file), line: place.line))
    }

    private mutating func takeListingEnd(_ line: DelveTextLine) -> Bool {
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
        guard line.tabs == 0, body.dropPrefix("["), let count = body.dropNumber(), body.elementsEqual(" goroutines]".utf8)
        else { return false }
        closeStack()
        closeListing(atEnd: count)
        return true
    }

    /// Delve prints five members of a group, and how many there are.
    private mutating func addRest(of total: Int64) {
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
    private mutating func closeListing(atEnd count: Int64?) {
        guard let open = listing else { return }
        listing = nil
        owner = .unknown
        let isWhole = count.map { $0 == open.count } ?? (open.isGrouped || open.hasNoEnd)
        if !isWhole { state.diagnostics.count(.listingsIncomplete) }
    }

    // MARK: - Stacks

    private mutating func takeStack(_ line: DelveTextLine) -> Bool {
        if let head = DelveStackText.frameHead(line.body) {
            if line.tabs == 0, hit != nil { closeHit() }
            if line.tabs < 2, owner == .hit { owner = .unknown }
            if head.index == 0 { closeStack(keepingAncestor: true) }
            if case .unreadable(let place) = owner {
                snapshot.update(at: place) { $0.strayLineCount += 2 }
                noteForeignStack(place)
                return true
            }
            stack.begin(head, state)
            return true
        }
        if takeAncestor(line) { return true }
        if case .unreadable = owner, line.body.first == 0x20 || line.body.elementsEqual("(truncated)".utf8) { return true }
        return stack.take(line.body, state)
    }

    private mutating func noteForeignStack(_ place: Int) {
        let doubt = state.intern("the stack that Delve prints under it is the current thread's, and left out")
        snapshot.update(at: place) { if !$0.doubts.contains(doubt) { $0.doubts.append(doubt) } }
    }

    /// `Created by Goroutine 48:`, and a stack.
    private mutating func takeAncestor(_ line: DelveTextLine) -> Bool {
        var body = line.body
        guard body.dropPrefix("Created by Goroutine "), let id = body.dropNumber(), body.elementsEqual(":".utf8) else {
            return false
        }
        closeStack(keepingHost: true)
        ancestor = GoroutineID(id)
        return true
    }

    /// Gives the stack that is complete to its owner; creators wait until the last of them is there.
    mutating func closeStack(keepingHost: Bool = false, keepingAncestor: Bool = false) {
        if !stack.isEmpty {
            let (id, goroutine) = stack.finish(state)
            if let creator = ancestor {
                ancestors.append(Ancestor(goroutine: creator, stack: id, creation: .unknown))
                ancestor = nil
            } else {
                giveHost()
                ancestorHost = (owner, goroutine)
            }
        }
        if keepingHost || keepingAncestor && ancestor != nil { return }
        ancestor = nil
        giveHost()
    }

    private mutating func giveHost() {
        guard let host = ancestorHost else { return }
        var goroutine = host.goroutine
        ancestorHost = nil
        goroutine.ancestors = ancestors
        ancestors = []
        switch host.owner {
        case .hit: hit?.stack = goroutine.stack
        case .unreadable: break
        case .entry(let place): snapshot.update(at: place) { $0.merge(goroutine) }
        case .goroutine(let id):
            goroutine.id = id
            addAlone(goroutine)
        case .unknown:
            goroutine.id = selected
            if selected == 0 { goroutine.doubts = [state.intern("whose stack this is is not said")] }
            addAlone(goroutine)
        }
    }

    private mutating func addAlone(_ goroutine: DelveGoroutine) {
        snapshotBegins()
        snapshot.add(goroutine)
    }

    // MARK: - Details of a goroutine

    private mutating func takeDetail(_ line: DelveTextLine) -> Bool {
        var body = line.body
        if body.dropPrefix("Labels: ") {
            takeLabels(body)
            return true
        }
        if body.dropPrefix("Goroutine "), let id = body.dropNumber(), body.elementsEqual(":".utf8) {
            closeStack()
            if line.tabs == 0 { closeListing(atEnd: nil) }
            var goroutine = DelveGoroutine()
            goroutine.id = id
            goroutine.isSelected = line.tabs == 0
            if line.tabs == 0 { selected = id }
            snapshotBegins()
            owner = .entry(snapshot.add(goroutine))
            return true
        }
        return takeLongPlace(line) || takeHitValue(line)
    }

    /// `Runtime: …`, `User: …`, `Go: …`, `Start: …` below `Goroutine N:`.
    private mutating func takeLongPlace(_ line: DelveTextLine) -> Bool {
        guard case .entry(let place) = owner, line.tabs > 0 else { return false }
        var body = line.body
        guard let kind = DelveGoroutineLine.Place.allCases.first(where: { body.dropPrefix("\($0.rawValue): ") }),
            let found = DelveTextLine.Place(body)
        else { return false }
        let location = location(found)
        snapshot.update(at: place) { goroutine in
            switch kind {
            case .user: goroutine.userLocation = location
            case .runtime: goroutine.runtimeLocation = location
            case .go: goroutine.goLocation = location
            case .start: goroutine.startLocation = location
            }
        }
        return true
    }

    /// `"a":"1", "b":"2"... (2 more)`.
    private mutating func takeLabels(_ text: ArraySlice<UInt8>) {
        guard case .entry(let place) = owner else { return }
        var rest = text
        var labels: [Attribute] = []
        while let name = GoQuoted.take(&rest), rest.dropPrefix(":"), let value = GoQuoted.take(&rest) {
            labels.append(Attribute(name: state.intern(name[...]), value: state.intern(value[...])))
            if !rest.dropPrefix(", ") { break }
        }
        let list = state.tables.observations.intern(labels: labels, state.tables.strings)
        var doubts: [StringID] = []
        if rest.dropPrefix("... ("), let more = rest.dropNumber() {
            doubts.append(state.intern("Delve leaves out \(more) more labels"))
        } else if !rest.isEmpty {
            state.diagnostics.count(.linesUnknown)
            record(expected: "labels as Delve prints them", found: text)
        }
        snapshot.update(at: place) { goroutine in
            goroutine.labels = list
            goroutine.doubts += doubts
        }
    }

    // MARK: - Threads

    private mutating func takeThread(_ line: DelveTextLine) -> Bool {
        var body = line.body
        let isSelected = body.dropPrefix("* ")
        if !isSelected { body.dropSpaces() }
        guard body.dropPrefix("Thread "), let id = body.dropNumber(), body.dropPrefix(" at ") else { return false }
        closeStack()
        closeListing(atEnd: nil)
        let pc = body.dropHex() ?? 0
        if pc != 0 { _ = body.dropPrefix(" ") }
        guard let file = DelveTextLine.FilePlace(body) else { return false }
        var thread = DelveGoroutine()
        (thread.isThread, thread.count, thread.thread, thread.isSelected) = (true, 0, id, isSelected)
        thread.runtimeLocation = state.location(
            Frame(
                programCounter: pc, function: state.intern(file.rest), file: state.intern(file.file), line: file.line))
        addAlone(thread)
        return true
    }

    // MARK: - Breakpoints and tracepoints

    private mutating func takeHit(_ line: DelveTextLine) -> Bool {
        guard line.tabs == 0, let parsed = DelveHitLine(line.body) else { return false }
        beginHit(parsed)
        return true
    }

    private mutating func beginHit(_ line: DelveHitLine) {
        closeStack()
        closeListing(atEnd: nil)
        closeHit()
        snapshot.end()
        if let time = line.timeNanoseconds {
            now = time
            state.updateSource { $0.clock = .wall }
        }
        hit = OpenHit(line: line)
        for byte in line.arguments where line.goesOn { hit?.nesting.take(byte) }
        owner = .hit
        selected = line.hit.goroutine
    }

    /// Takes a line of arguments that a tracepoint prints over several lines.
    private mutating func goesOn(_ line: DelveTextLine) -> Bool {
        guard var open = hit, open.line.goesOn else { return false }
        hit = nil
        defer { hit = open }
        open.lineCount += 1
        let isNext = line.tabs == 0 && DelveHitLine(line.body) != nil
        if isNext || open.lineCount > 10_000 || open.line.arguments.count > 1 << 20 {
            open.line.goesOn = false
            state.diagnostics.count(.linesUnknown)
            return false
        }
        let text = [0x0a] + [UInt8](repeating: 0x09, count: line.tabs) + line.body
        for byte in text { open.nesting.take(byte) }
        open.line.arguments += text
        open.line.goesOn = !(text.last == UInt8(ascii: ")") && open.nesting.depth < 0)
        return true
    }

    /// `gp.goid: 8` below a hit.
    private mutating func takeHitValue(_ line: DelveTextLine) -> Bool {
        guard hit != nil, line.tabs == 1 else { return false }
        if line.body.elementsEqual("Stack:".utf8) {
            closeStack()
            owner = .hit
            return true
        }
        guard let colon = line.body.firstPlace(of: ": ") else { return false }
        hit?.values.append((line.body[..<colon.lowerBound].text, line.body[colon.upperBound...].text))
        return true
    }

    private mutating func closeHit() {
        guard let open = hit else { return }
        closeStack()
        var hit = open.line.completed()
        hit.stack = self.hit?.stack ?? open.stack
        hit.values += open.values
        self.hit = nil
        if owner == .hit { owner = .unknown }
        lifecycle.emit(hit, at: now)
    }

    // MARK: - All else

    private mutating func takeRemark(_ line: DelveTextLine) -> Bool {
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
    private mutating func takeCommand(_ command: ArraySlice<UInt8>) {
        closeStack()
        closeListing(atEnd: nil)
        closeHit()
        owner = .unknown
        var command = command
        if command.dropPrefix("goroutine ") || command.dropPrefix("gr "), let id = command.dropNumber(), !command.isEmpty {
            owner = .goroutine(id)
            return
        }
        let word = command.prefix { $0 != 0x20 }.text
        let resuming = ["c", "continue", "n", "next", "s", "step", "so", "stepout", "si", "step-instruction", "rebuild",
            "r", "restart", "ni", "next-instruction", "rw", "rewind"]
        if resuming.contains(word) {
            snapshot.end()
            selected = 0
        }
    }

    private mutating func takeError(_ body: ArraySlice<UInt8>) -> Bool {
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

    private mutating func record(expected: String, found: ArraySlice<UInt8>) {
        let error = TraceError(
            .damaged, file: state.path, byteOffset: place.offset, context: ["line \(place.line)"], expected: expected,
            found: "\"\(found.prefix(200).text)\"")
        state.diagnostics.record(error)
        if !state.hasEvents, snapshot.isEmpty, hit == nil, totalFailure == nil { totalFailure = error }
    }

    private mutating func snapshotBegins() {
        totalFailure = nil
        if snapshot.isEmpty { snapshot.timeNanoseconds = now }
    }

    private mutating func notePlain(_ body: ArraySlice<UInt8>) {
        // Remarks within a listing belong to no goroutine; the name of the next group ends the stack above it.
        closeStack()
        dropPlain()
        plain = body
    }

    private mutating func dropPlain() {
        if plain != nil { state.diagnostics.count(.detailsLeftOut) }
        plain = nil
    }
}
