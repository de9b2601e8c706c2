/// A set of numbers that are handed out in sequence: a bit each, in pages, so that a stray one costs a page and
/// not everything below it.
public struct IDSet {
    private static let wordsPerPage = 64

    private var firstWords: [UInt64: Int] = [:]
    private var words: [UInt64] = []
    public private(set) var isEmpty = true

    public init() {}

    /// How many pages of 4,096 numbers it takes.
    public var pageCount: Int { firstWords.count }

    public func contains(_ id: UInt64) -> Bool {
        guard let first = firstWords[id >> 12] else { return false }
        return words[first + Self.word(id)] & 1 << (id & 63) != 0
    }

    /// - Returns: false if it is in there already.
    @discardableResult
    public mutating func insert(_ id: UInt64) -> Bool {
        isEmpty = false
        let first = firstWords[id >> 12] ?? addPage(id >> 12)
        let bit: UInt64 = 1 << (id & 63)
        defer { words[first + Self.word(id)] |= bit }
        return words[first + Self.word(id)] & bit == 0
    }

    private mutating func addPage(_ page: UInt64) -> Int {
        let first = words.count
        words.append(contentsOf: repeatElement(0, count: Self.wordsPerPage))
        firstWords[page] = first
        return first
    }

    private static func word(_ id: UInt64) -> Int { Int(truncatingIfNeeded: id >> 6) & (wordsPerPage - 1) }
}
