import VestigeCore

/// `* Goroutine 12 - User: ./main.go:129 main.leakSend (0x677a49) (thread 7) [chan send 5391012571495]`,
/// or `  Goroutine (unreadable …)`.
struct DelveGoroutineLine {
    enum Place: String, CaseIterable {
        case user = "User"
        case runtime = "Runtime"
        case go = "Go"
        case start = "Start"
    }

    var isSelected: Bool
    /// 0 if it is unreadable.
    var id: Int64 = 0
    var kind = Place.user
    var place: DelveTextLine.Place?
    var thread: Int64 = 0
    var reason: ArraySlice<UInt8> = []
    var waitSince: Int64 = 0
    var unreadable: ArraySlice<UInt8> = []

    /// The marks before `Goroutine`, by which such a line is known.
    static func begins(_ line: ArraySlice<UInt8>) -> Bool {
        var line = line
        guard line.dropPrefix("* Goroutine ") || line.dropPrefix("  Goroutine ") else { return false }
        if line.starts(with: "(unreadable ".utf8) || line.elementsEqual("<nil>".utf8) { return true }
        return line.dropNumber() != nil && line.starts(with: " - ".utf8)
    }

    init?(_ line: ArraySlice<UInt8>) {
        var line = line
        isSelected = line.first == UInt8(ascii: "*")
        guard line.dropPrefix("* Goroutine ") || line.dropPrefix("  Goroutine ") else { return nil }
        if line.elementsEqual("<nil>".utf8) {
            unreadable = line
            return
        }
        if line.dropPrefix("(unreadable ") {
            guard line.dropSuffix(")") else { return nil }
            unreadable = line
            return
        }
        guard let id = line.dropNumber(), line.dropPrefix(" - "),
            let kind = Place.allCases.first(where: { line.dropPrefix("\($0.rawValue): ") })
        else { return nil }
        (self.id, self.kind) = (id, kind)
        guard let place = DelveTextLine.Place(line) else { return nil }
        self.place = place
        guard readTail(place.rest) else { return nil }
    }

    private mutating func readTail(_ tail: ArraySlice<UInt8>) -> Bool {
        var tail = tail
        if tail.dropPrefix(" (thread ") {
            guard let number = tail.dropNumber(), tail.dropPrefix(")") else { return false }
            thread = number
        }
        if tail.dropPrefix(" [") {
            guard tail.dropSuffix("]") else { return false }
            readReason(tail)
            return true
        }
        return tail.isEmpty
    }

    /// A number behind the words is the time; but `unknown wait reason 37` ends in a number too.
    private mutating func readReason(_ text: ArraySlice<UInt8>) {
        reason = text
        guard let space = text.lastIndex(of: 0x20), let number = Int64(text[(space + 1)...].text), number > 0 else {
            return
        }
        let words = text[..<space]
        if words.elementsEqual("unknown wait reason".utf8) { return }
        (reason, waitSince) = (words, number)
    }
}
