import VestigeCore

/// A line of Delve's client without what terminals and prompts add to it.
struct DelveTextLine {
    /// How many tabs stand before it.
    var tabs = 0
    /// What follows them.
    var body: ArraySlice<UInt8>
    /// A prompt stood before it: it may be the echo of a command.
    var hasPrompt = false

    init(_ line: some Collection<UInt8>) {
        body = Self.withoutEscapes(line)[...]
        while body.dropPrefix("(dlv) ") { hasPrompt = true }
        tabs = body.dropTabs()
    }

    /// Colours and other ESC sequences, and CR, are what a terminal wants.
    private static func withoutEscapes(_ line: some Collection<UInt8>) -> [UInt8] {
        guard line.contains(where: { $0 == 0x1b || $0 == 0x0d }) else { return Array(line) }
        var text: [UInt8] = []
        text.reserveCapacity(line.count)
        var rest = Array(line)[...]
        while let byte = rest.popFirst() {
            if byte == 0x0d { continue }
            guard byte == 0x1b else {
                text.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "["): rest = rest.drop { !(0x40...0x7e).contains($0) }.dropFirst()
            case UInt8(ascii: "]"): rest = rest.drop { $0 != 0x07 && $0 != 0x1b }.dropFirst()
            default: break
            }
        }
        return text
    }

    // MARK: - Parts of lines

    /// `path:line function (0xpc)`, and what follows it.
    struct Place {
        var file: ArraySlice<UInt8>
        var line: UInt64
        var function: ArraySlice<UInt8>
        var programCounter: UInt64
        var rest: ArraySlice<UInt8>

        /// Names hold blanks, brackets and parentheses, so the program counter is found from behind.
        init?(_ text: ArraySlice<UInt8>) {
            guard let counter = text.lastPlace(of: " (0x"), let place = FilePlace(text[..<counter.lowerBound]) else {
                return nil
            }
            rest = text[(counter.lowerBound + 2)...]
            guard let number = rest.dropHex(), rest.dropPrefix(")") else { return nil }
            (file, line, function, programCounter) = (place.file, place.line, place.rest, number)
        }

        var isKnown: Bool { programCounter != 0 || !function.elementsEqual("???".utf8) }
    }

    /// `path:line`, and what follows behind a blank.
    struct FilePlace {
        var file: ArraySlice<UInt8>
        var line: UInt64
        var rest: ArraySlice<UInt8>

        /// The first colon that a number and a blank, or the end, follow.
        init?(_ text: ArraySlice<UInt8>) {
            var start = text.startIndex
            while let colon = text[start...].firstIndex(of: UInt8(ascii: ":")) {
                var behind = text[(colon + 1)...]
                if let number = behind.dropNumber(), behind.isEmpty || behind.dropPrefix(" ") {
                    (file, line, rest) = (text[..<colon], UInt64(number), behind)
                    return
                }
                start = colon + 1
            }
            return nil
        }
    }

    /// `function(arguments)` and what follows: the parenthesis of the arguments is the first that no dot
    /// precedes, as in `main.(*server).loop(…)`, outside the brackets of type arguments.
    struct Call {
        var function: ArraySlice<UInt8>
        /// From behind the opening parenthesis.
        var rest: ArraySlice<UInt8>

        init?(_ text: ArraySlice<UInt8>) {
            var depth = 0
            var last: UInt8 = 0
            for index in text.indices {
                switch text[index] {
                case UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: "(") where depth <= 0 && last != UInt8(ascii: "."):
                    (function, rest) = (text[..<index], text[(index + 1)...])
                    return
                default: break
                }
                last = text[index]
            }
            return nil
        }
    }

    /// Cuts values at commas and line breaks that are in no brackets and no quotes; `name: value` where names
    /// are shown, else the number of the value behind `prefix`.
    static func values(_ text: ArraySlice<UInt8>, prefix: String) -> [(name: String, value: String)] {
        var values: [(name: String, value: String)] = []
        var scanner = NestingScanner()
        var start = text.startIndex
        func add(_ end: Int) {
            var part = text[start..<end].drop { $0 == 0x20 || $0 == 0x0a }
            while part.last == 0x0a { part = part.dropLast() }
            guard !part.isEmpty else { return }
            let name = part.prefix { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "~") || isWord($0) }
            var value = part[name.endIndex...]
            if !name.isEmpty, value.dropPrefix(": ") { part = value }
            values.append(
                (
                    part.startIndex == value.startIndex && !name.isEmpty ? name.text : "\(prefix)\(values.count + 1)",
                    part.text
                ))
        }
        for index in text.indices {
            let isOutside = scanner.isOutside
            scanner.take(text[index])
            // A value over several lines goes on where the next line does not name another.
            let isBreak = text[index] == 0x0a && text[(index + 1)...].starts(with: "  ".utf8) && index > text.startIndex
            if isOutside, text[index] == UInt8(ascii: ",") || isBreak {
                add(index)
                start = index + 1
            }
        }
        add(text.endIndex)
        return values
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}

/// Follows brackets and quotes through a text.
struct NestingScanner {
    private(set) var depth = 0
    private var quote: UInt8 = 0
    private var isEscaped = false

    var isOutside: Bool { depth <= 0 && quote == 0 }

    mutating func take(_ byte: UInt8) {
        if quote != 0 {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == quote {
                quote = 0
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "`"): quote = byte
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
        default: break
        }
    }
}
