import VestigeCore

/// The two lines of a frame: `main.worker(0xc000010000, 0x2)` and, indented,
/// `/src/main.go:56 +0x15 fp=0xc000044768 sp=0xc000044760 pc=0x45e1c6`.
enum FrameLines {
    /// Where a frame is in the source.
    struct Location {
        var file: DumpBytes
        var line: UInt64
        var programCounter: UInt64
        /// The line tells the offset in the function, as it does for all frames that are not inlined.
        var hasOffset: Bool
    }

    /// The function's name, without the arguments behind it. C functions have none.
    @inline(__always) static func function(_ line: DumpBytes) -> DumpBytes {
        guard line.last == 0x29, let open = line.last("("), open > 0 else { return line }
        return line.part(0..<open)
    }

    static func looksLikeFunction(_ line: DumpBytes) -> Bool { line.last == 0x29 && line.first("(") != nil }

    /// - Returns: nil if the line is anything else.
    @inline(__always) static func location(_ line: DumpBytes) -> Location? {
        let start = line.skipBlanks()
        guard start > 0 else { return nil }
        var location = Location(file: line.part(0..<0), line: 0, programCounter: 0, hasOffset: false)
        var end = line.count
        while let blank = lastBlank(line, before: end) {
            let token = line.part(blank + 1..<end)
            if token.begins(with: "+0x") {
                location.hasOffset = true
            } else if token.begins(with: "pc=0x") {
                location.programCounter = token.from(3).hexadecimal ?? 0
                location.hasOffset = true
            } else if !token.begins(with: "fp=0x"), !token.begins(with: "sp=0x") {
                break
            }
            end = blank
        }
        // A C function of which only the program counter is known.
        if end < start { return location.programCounter == 0 ? nil : location }
        guard let place = fileAndLine(line.part(start..<end)) else { return nil }
        (location.file, location.line) = place
        return location
    }

    /// `file:line`; the file may hold spaces and colons.
    @inline(__always) static func fileAndLine(_ text: DumpBytes) -> (DumpBytes, UInt64)? {
        var digits = text.count
        while digits > 0, text.isDigit(at: digits - 1) { digits -= 1 }
        guard digits > 1, text[digits - 1] == 0x3a, let number = text.from(digits).decimal else { return nil }
        return (text.part(0..<digits - 1), UInt64(number))
    }

    @inline(__always) private static func lastBlank(_ line: DumpBytes, before end: Int) -> Int? {
        var index = end - 1
        while index >= 0 {
            if line.isBlank(at: index) { return index }
            index -= 1
        }
        return nil
    }

    /// `created by main.start in goroutine 1`; the goroutine since Go 1.21.
    static func creator(_ line: DumpBytes) -> (function: DumpBytes, goroutine: GoroutineID)? {
        guard line.begins(with: "created by "), line.count > 11 else { return nil }
        let name = line.from(11)
        var digits = name.count
        while digits > 0, name.isDigit(at: digits - 1) { digits -= 1 }
        guard name.part(0..<digits).ends(with: " in goroutine "), let number = name.from(digits).decimal else {
            return (name, .absent)
        }
        return (name.part(0..<digits - 14), GoroutineID(number))
    }

    /// `[originating from goroutine 1]:`.
    static func ancestor(_ line: DumpBytes) -> GoroutineID? {
        guard line.begins(with: "[originating from goroutine "), line.ends(with: "]:") else { return nil }
        return line.part(28..<max(28, line.count - 2)).decimal.map { GoroutineID($0) }
    }

    /// `...202 frames elided...`, before Go 1.21 and of ancestors `...additional frames elided...`, which
    /// does not say how many: −1.
    static func elidedCount(_ line: DumpBytes) -> Int64? {
        guard line.begins(with: "..."), line.ends(with: " frames elided...") else { return nil }
        return line.part(3..<max(3, line.count - 17)).decimal ?? -1
    }
}
