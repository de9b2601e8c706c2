import VestigeCore

/// A frame of a readable list, `func file:line`, taken apart.
///
/// The text alone is ambiguous, since names and paths may hold spaces: `main.f[go.shape.struct { X int }]`,
/// `/home/Jane Doe/main.go`. In Go's function names spaces stand only within the brackets of type
/// arguments, so the first space outside them ends the name; if brackets do not match, the last space
/// does. However it is cut, the parts make the same text again. `Stack` lines are exact.
struct FrameText {
    let function: Substring
    let file: Substring
    /// 0 if the text has none.
    let line: UInt64

    init(_ text: String) {
        guard let space = Self.separator(text) else {
            (function, file, line) = (text[...], "", 0)
            return
        }
        function = text[..<space]
        let place = text[text.utf8.index(after: space)...]
        let colon = place.utf8.lastIndex(of: UInt8(ascii: ":"))
        let digits = colon.map { place[place.utf8.index(after: $0)...] } ?? ""
        if let colon, let number = UInt64(digits), String(number) == digits {
            (file, line) = (place[..<colon], number)
        } else {
            (file, line) = (place, 0)
        }
    }

    func frame(in strings: StringTable) -> Frame {
        Frame(
            programCounter: 0, function: strings.intern(String(function)), file: strings.intern(String(file)),
            line: line)
    }

    private static func separator(_ text: String) -> String.Index? {
        var depth = 0
        for index in text.utf8.indices {
            switch text.utf8[index] {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: " ") where depth <= 0: return index
            default: break
            }
        }
        return text.utf8.lastIndex(of: UInt8(ascii: " "))
    }
}
