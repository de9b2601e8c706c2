import VestigeCore

/// The goroutine of a text dump that is being read, from its header to the blank line behind it.
struct GoroutineBuilder {
    /// Where frames go: the goroutine's own stack, or that of an ancestor.
    private var frames: [Frame] = []
    private var header = Event(kind: .observed, timeNanoseconds: 0)
    private var detail = ObservationDetail()
    private var attributes: [Attribute] = []
    private var ancestors: [Ancestor] = []
    private(set) var isInAncestor = false
    /// The line that names a frame's function or the creator, until the line with its place comes.
    private var pending: [UInt8] = []
    private(set) var hasPending = false
    private var pendingFunction = StringID.empty
    private var pendingCreator: GoroutineID?
    private var hasCreation = false
    /// A line that belongs to no frame has cut the stack.
    private(set) var isCutOff = false
    private var losesFrames = false
    private let tables: TraceTables
    private var memo: StringMemo
    /// The last detail and its number: neighbours are often alike.
    private var lastDetail = ObservationDetail.none
    private var lastDetailNumber: UInt64 = 0

    /// A goroutine that more lines belong to than this is over: what follows is another text.
    static let strayLineLimit = 100

    init(_ tables: TraceTables) {
        self.tables = tables
        memo = StringMemo(tables.strings)
    }

    var isOverlong: Bool { detail.strayLineCount >= Self.strayLineLimit }

    mutating func begin(_ header: GoroutineHeader, timeNanoseconds: Int64, source: UInt8) {
        frames.removeAll(keepingCapacity: true)
        detail = ObservationDetail()
        attributes.removeAll(keepingCapacity: true)
        ancestors.removeAll(keepingCapacity: true)
        (isInAncestor, hasPending, hasCreation, isCutOff, losesFrames) = (false, false, false, false, false)
        detail.flags = header.flags
        detail.minutes = header.minutes
        detail.bubble = header.bubble
        if !header.pointers.isEmpty { appendPointers(header.pointers) }
        if !header.labels.isEmpty {
            if let labels = LabelText.parse(header.labels, tables) {
                detail.labels = labels
            } else {
                add("labels", header.labels)
            }
        }
        self.header = Event(
            kind: .observed, timeNanoseconds: timeNanoseconds, goroutine: header.goroutine,
            name: intern(header.reason), argument0: Self.wait(header.minutes), argument2: 1, source: source,
            detail: Event.pack(observed: header.state))
    }

    /// ` gp=0xc000007340 m=nil`: each as an attribute.
    private mutating func appendPointers(_ text: DumpBytes) {
        var index = 0
        while index < text.count {
            let end = text.first(" ", from: index + 1) ?? text.count
            let word = text.part(index + 1..<max(index + 1, end))
            if let equals = word.first("=") {
                attributes.append(
                    Attribute(name: intern(word.part(0..<equals)), value: intern(word.from(equals + 1))))
            }
            index = end
        }
    }

    private static func wait(_ minutes: Int64?) -> UInt64 {
        guard let minutes, minutes > 0 else { return 0 }
        let (product, isTooLarge) = UInt64(minutes).multipliedReportingOverflow(by: 60_000_000_000)
        return isTooLarge ? .max : product
    }

    mutating func add(_ name: StaticString, _ value: DumpBytes) {
        attributes.append(Attribute(name: tables.strings.intern(name.description), value: intern(value)))
    }

    @inline(__always) private mutating func intern(_ bytes: DumpBytes) -> StringID { memo.intern(bytes) }

    // MARK: - Lines

    /// Takes a line that is neither blank nor the header of another goroutine.
    /// - Parameter isWhole: it ended with a line break, so nothing of it is missing.
    mutating func take(_ line: DumpBytes, isWhole: Bool) {
        if isCutOff { return stray(line) }
        if hasPending { return takePlace(line, isWhole: isWhole) }
        if let (function, goroutine) = FrameLines.creator(line) {
            pendingCreator = goroutine
            return hold(line, function)
        }
        if let goroutine = FrameLines.ancestor(line) { return beginAncestor(goroutine) }
        if let count = FrameLines.elidedCount(line) { return noteElided(count) }
        if line.isBlank(at: 0) {
            guard line.ends(with: "stack unavailable") else { return stray(line) }
            detail.flags.insert(.stackUnavailable)
            return
        }
        // Behind the creator only ancestors go on.
        if hasCreation && !isInAncestor { return stray(line) }
        pendingCreator = nil
        hold(line, FrameLines.function(line))
    }

    @inline(__always) private mutating func hold(_ line: DumpBytes, _ function: DumpBytes) {
        pending.removeAll(keepingCapacity: true)
        pending.append(contentsOf: line)
        pendingFunction = intern(function)
        hasPending = true
    }

    private mutating func takePlace(_ line: DumpBytes, isWhole: Bool) {
        // At the end of a cut file a place may look whole: `main.go:4` of `main.go:43 +0x45`.
        guard let place = FrameLines.location(line), isWhole || place.hasOffset || isInlined else {
            strayPending()
            return stray(line)
        }
        hasPending = false
        let frame = Frame(
            programCounter: place.programCounter, function: pendingFunction, file: intern(place.file), line: place.line)
        if let creator = pendingCreator { create(frame, by: creator) } else { frames.append(frame) }
    }

    private var isInlined: Bool { pending.withUnsafeBufferPointer { $0.ends(with: "(...)") } }

    private mutating func create(_ frame: Frame, by goroutine: GoroutineID) {
        pendingCreator = nil
        let creation = Creation(goroutine: goroutine, stack: tables.stacks.intern(frame, caller: .absent))
        if isInAncestor {
            ancestors[ancestors.count - 1].creation = creation
        } else {
            detail.creation = creation
            hasCreation = true
        }
    }

    private mutating func beginAncestor(_ goroutine: GoroutineID) {
        endStack()
        isInAncestor = true
        ancestors.append(Ancestor(goroutine: goroutine, stack: .absent, creation: .unknown))
    }

    private mutating func noteElided(_ count: Int64) {
        if isInAncestor {
            let goroutine = ancestors[ancestors.count - 1].goroutine.rawValue
            attributes.append(
                Attribute(
                    name: tables.strings.intern("elided frames of ancestor"),
                    value: tables.strings.intern(String(goroutine))))
        } else if detail.elidedFrameCount == 0 {
            detail.elidedFrameCount = count
            detail.elidedAfter = Int64(frames.count)
        }
    }

    /// The frames so far are a whole stack: the goroutine's own, or an ancestor's.
    private mutating func endStack() {
        var stack = StackID.absent
        for index in stride(from: frames.count - 1, through: 0, by: -1) {
            stack = tables.stacks.intern(frames[index], caller: stack)
        }
        frames.removeAll(keepingCapacity: true)
        if isInAncestor { ancestors[ancestors.count - 1].stack = stack } else { header.stack = stack }
    }

    // MARK: - What is no frame

    private mutating func stray(_ line: DumpBytes) {
        isCutOff = true
        losesFrames = losesFrames || FrameLines.looksLikeFunction(line) || FrameLines.creator(line) != nil
        detail.strayLineCount += 1
        add("stray", line)
    }

    private mutating func strayPending() {
        hasPending = false
        pending.withUnsafeBufferPointer { line in
            if let creator = pendingCreator {
                // Who created it is known, but not where.
                losesFrames = true
                let frame = Frame(programCounter: 0, function: pendingFunction, file: .empty, line: 0)
                create(frame, by: creator)
            } else {
                stray(line)
            }
        }
    }

    // MARK: - The end

    /// The input ends here, without a blank line. Every goroutine but the first tells its creator, unless a
    /// thread of C made it: where that is missing, so is the rest of the stack.
    mutating func endsWithInput() {
        let tellsCreator = header.goroutine.rawValue > 1 && !detail.flags.contains(.locked)
        if tellsCreator, !hasCreation, pendingCreator == nil, !isCutOff { losesFrames = true }
    }

    /// The goroutine as an event, and whether part of its stack is missing.
    mutating func finish(dumpNumber: Int) -> (event: Event, losesFrames: Bool) {
        if hasPending { strayPending() }
        endStack()
        if dumpNumber > 1 {
            attributes.append(
                Attribute(
                    name: tables.strings.intern("snapshot"), value: tables.strings.intern(String(dumpNumber))))
        }
        if !attributes.isEmpty { detail.attributes = tables.observations.intern(attributes) }
        if !ancestors.isEmpty { detail.ancestors = ancestors }
        if detail != lastDetail {
            lastDetailNumber = tables.observations.intern(detail)
            lastDetail = detail
        }
        header.argument1 = lastDetailNumber
        return (header, losesFrames)
    }
}
