/// A pattern for names: `*` stands for any text, `?` for one character, everything else for itself. (Go's
/// names are full of brackets, so these mean nothing here.)
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let pattern: [UInt8]

    public init(_ text: String) {
        description = text
        pattern = Array(text.utf8)
    }

    /// True if it is a plain name.
    public var isLiteral: Bool { !pattern.contains(UInt8(ascii: "*")) && !pattern.contains(UInt8(ascii: "?")) }

    public func matches(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { matches($0) }
    }

    /// In time that grows with the product of the lengths at most: only the last `*` is gone back to.
    public func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        var (position, index) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while index < name.count {
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                star = (position, index)
                position += 1
            } else if position < pattern.count, let length = step(position, name, index) {
                position += 1
                index += length
            } else if let (starPosition, starIndex) = star {
                star = (starPosition, starIndex + 1)
                (position, index) = (starPosition + 1, starIndex + 1)
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// How many bytes of the name one byte of the pattern takes; nil if they do not agree.
    private func step(_ position: Int, _ name: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int? {
        guard pattern[position] == UInt8(ascii: "?") else { return pattern[position] == name[index] ? 1 : nil }
        var length = 1
        while index + length < name.count, name[index + length] & 0xc0 == 0x80 { length += 1 }
        return length
    }
}
