import VestigeCore

/// A set of small numbers: a bit each.
struct NumberSet {
    private var words: [UInt64] = []

    /// Adds a number, and returns true if it was not there.
    @inline(__always) mutating func insert(_ number: UInt32) -> Bool {
        let (word, bit) = (Int(number >> 6), UInt64(1) << UInt64(number & 63))
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        if words[word] & bit != 0 { return false }
        words[word] |= bit
        return true
    }
}

/// Which strings and stacks have been interned in the file, and under which ids.
///
/// An id is made from the id in the tables and from what is made of it, so that no map is needed. The
/// first sixteen are for names that every file has.
struct InternedIDs {
    var names = NumberSet()
    var waitingNames = NumberSet()
    var annotationStrings = NumberSet()
    var annotationStacks = NumberSet()
    var annotationFrames = NumberSet()
    var functions = NumberSet()
    var sourcePaths = NumberSet()
    var frames = NumberSet()
    var callstacks = NumberSet()

    private static var firstFree: UInt64 { 16 }

    static func name(_ id: StringID) -> UInt64 { firstFree + UInt64(id.rawValue) * 3 }
    static func waitingName(_ reason: StringID) -> UInt64 { firstFree + UInt64(reason.rawValue) * 3 + 1 }
    /// `number` tells goroutines apart, and whether the start function is in the name.
    static func goroutineName(_ number: UInt64) -> UInt64 { firstFree + number * 3 + 2 }

    static func annotation(string: StringID) -> UInt64 { firstFree + UInt64(string.rawValue) * 4 }
    static func annotation(stack: StackID) -> UInt64 { firstFree + UInt64(stack.rawValue) * 4 + 1 }
    static func annotation(frameOf stack: StackID) -> UInt64 { firstFree + UInt64(stack.rawValue) * 4 + 2 }
    static func annotation(goroutine number: UInt64) -> UInt64 { firstFree + number * 4 + 3 }
}
