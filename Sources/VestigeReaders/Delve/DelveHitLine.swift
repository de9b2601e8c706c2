import VestigeCore

/// The line of a tracepoint or breakpoint that was hit:
///
///     2026-11-23T15:20:41.53Z > goroutine(1): [spawn] runtime.newproc1(fn, 4698106)
///     >> goroutine(7): main.add => (3)
///     > [bye] main.work() ./main.go:64 (hits goroutine(6):1 total:1) (PC: 0x5aea0a)
struct DelveHitLine {
    var hit: DelveHit
    /// Unix time in nanoseconds; nil where it is not shown.
    var timeNanoseconds: Int64?
    /// The arguments as far as the line goes; a tracepoint's may go on in further lines.
    var arguments: ArraySlice<UInt8> = []
    var goesOn = false

    init?(_ line: ArraySlice<UInt8>) {
        var line = line
        // A suppressed hit leaves its time without a line end, so there may be several.
        while let word = line.prefixText(upTo: 0x20), let time = RFC3339.nanoseconds(word) {
            timeNanoseconds = time
            line = line.dropFirst(word.utf8.count + 1)
        }
        line.dropSpaces()
        if line.dropPrefix(">> goroutine(") {
            hit = DelveHit(kind: .return)
            guard readTracepoint(line) else { return nil }
        } else if line.dropPrefix("> goroutine(") {
            hit = DelveHit(kind: .trace)
            guard readTracepoint(line) else { return nil }
        } else if line.dropPrefix("> ") {
            hit = DelveHit(kind: .stop)
            guard readStop(line) else { return nil }
        } else {
            return nil
        }
    }

    private mutating func readTracepoint(_ line: ArraySlice<UInt8>) -> Bool {
        var line = line
        guard let goroutine = line.dropNumber(), line.dropPrefix("):") else { return false }
        hit.goroutine = goroutine
        if line.dropPrefix("frame(") {
            guard let number = line.dropNumber(), line.dropPrefix(")") else { return false }
            hit.facts.append(("frame", "\(number)"))
        }
        line.dropSpaces()
        readName(&line)
        return hit.kind == .return ? readResults(line) : readCall(line)
    }

    private mutating func readName(_ line: inout ArraySlice<UInt8>) {
        if line.dropPrefix("watchpoint on [") || line.first == UInt8(ascii: "[") && line.dropPrefix("[") {
            hit.name = line.dropText(upTo: "] ") ?? ""
        }
    }

    private mutating func readCall(_ line: ArraySlice<UInt8>) -> Bool {
        guard let call = DelveTextLine.Call(line) else { return false }
        hit.function = call.function.text
        arguments = call.rest
        goesOn = !Self.isComplete(call.rest)
        return true
    }

    private mutating func readResults(_ line: ArraySlice<UInt8>) -> Bool {
        guard let arrow = line.firstPlace(of: "=> (") else { return false }
        var function = line[..<arrow.lowerBound]
        _ = function.dropSuffix(" ")
        hit.function = function.text
        arguments = line[arrow.upperBound...]
        goesOn = !Self.isComplete(arguments)
        return true
    }

    /// Whether the parenthesis that stands before is closed at the end.
    static func isComplete(_ arguments: ArraySlice<UInt8>) -> Bool {
        var scanner = NestingScanner()
        for byte in arguments { scanner.take(byte) }
        return arguments.last == UInt8(ascii: ")") && scanner.depth < 0
    }

    private mutating func readStop(_ line: ArraySlice<UInt8>) -> Bool {
        var line = line
        guard let counter = line.lastPlace(of: " (PC: ") else { return false }
        var number = line[counter.upperBound...]
        guard let pc = number.dropHex(), number.elementsEqual(")".utf8) else { return false }
        hit.facts.append(("pc", "0x\(String(pc, radix: 16))"))
        line = line[..<counter.lowerBound]
        readHits(&line)
        readName(&line)
        guard let call = DelveTextLine.Call(line), let end = Self.end(ofArguments: call.rest) else { return false }
        hit.function = call.function.text
        arguments = call.rest[..<end]
        var place = call.rest[end...]
        _ = place.dropPrefix(") ")
        hit.facts.append(("place", place.text))
        return true
    }

    /// `(hits goroutine(6):1 total:1)`, or without the goroutine.
    private mutating func readHits(_ line: inout ArraySlice<UInt8>) {
        guard let place = line.lastPlace(of: " (hits ") else { return }
        var text = line[place.upperBound...]
        line = line[..<place.lowerBound]
        if text.dropPrefix("goroutine("), let id = text.dropNumber() { hit.goroutine = id }
        if let total = text.firstPlace(of: "total:") {
            text = text[total.upperBound...]
            if let count = text.dropNumber() { hit.facts.append(("hits", "\(count)")) }
        }
    }

    private static func end(ofArguments text: ArraySlice<UInt8>) -> Int? {
        var scanner = NestingScanner()
        for index in text.indices {
            scanner.take(text[index])
            if scanner.depth < 0 { return index }
        }
        return nil
    }

    /// The hit with its values, once all of its lines are there.
    func completed() -> DelveHit {
        var hit = hit
        var text = arguments
        if hit.kind != .stop { _ = text.dropSuffix(")") }
        hit.values = DelveTextLine.values(text, prefix: hit.kind == .return ? "result" : "argument")
        return hit
    }
}
