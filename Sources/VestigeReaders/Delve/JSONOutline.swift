/// The outline of a JSON value: where the members of an object and the elements of an array stand. So that a
/// large answer is decoded piece by piece, and a cut one as far as it goes.
///
/// Takes bytes as they come and judges nothing: what is no JSON is found by whoever decodes a piece.
struct JSONOutline {
    let bytes: ArraySlice<UInt8>

    struct Piece {
        var bytes: ArraySlice<UInt8>
        /// False if the input ends within it.
        var isComplete: Bool
    }

    /// The members of an object with their names as they are written; none for other values.
    func members() -> [(name: String, value: Piece)] {
        var members: [(String, Piece)] = []
        forEach(opening: UInt8(ascii: "{")) { position in
            guard let nameEnd = end(ofValueAt: position), bytes[position] == UInt8(ascii: "\"") else { return nil }
            let name = String(decoding: bytes[position + 1..<max(position + 1, nameEnd - 1)], as: UTF8.self)
            guard let colon = skipSpace(nameEnd), bytes[colon] == UInt8(ascii: ":"), let value = skipSpace(colon + 1)
            else {
                return nil
            }
            let piece = piece(at: value)
            members.append((name, piece))
            return piece.bytes.endIndex
        }
        return members
    }

    func member(_ name: String) -> Piece? { members().first { $0.name == name }?.value }

    /// The elements of an array; none for other values.
    func elements() -> [Piece] {
        var elements: [Piece] = []
        forEach(opening: UInt8(ascii: "[")) { position in
            elements.append(piece(at: position))
            return elements.last?.bytes.endIndex
        }
        return elements
    }

    private func forEach(opening: UInt8, _ body: (Int) -> Int?) {
        guard let first = skipSpace(bytes.startIndex), bytes[first] == opening else { return }
        var next = skipSpace(first + 1)
        while let position = next, bytes[position] != UInt8(ascii: "}"), bytes[position] != UInt8(ascii: "]") {
            guard let end = body(position), end > position, let behind = skipSpace(end) else { return }
            next = bytes[behind] == UInt8(ascii: ",") ? skipSpace(behind + 1) : nil
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    private func piece(at position: Int) -> Piece {
        let end = end(ofValueAt: position)
        return Piece(bytes: bytes[position..<(end ?? bytes.endIndex)], isComplete: end != nil)
    }

    private func skipSpace(_ position: Int) -> Int? {
        var position = position
        while position < bytes.endIndex, Self.isSpace(bytes[position]) { position += 1 }
        return position < bytes.endIndex ? position : nil
    }

    /// The index behind a value, or nil if the bytes end before it does.
    private func end(ofValueAt position: Int) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            let base = bytes.startIndex
            var index = position - base
            var depth = 0
            while index < buffer.count {
                switch buffer[index] {
                case UInt8(ascii: "\""):
                    guard let end = Self.end(ofStringAt: index, buffer) else { return nil }
                    index = end
                    if depth == 0 { return base + index }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth <= 1 { return base + index + (depth == 1 ? 1 : 0) }
                    depth -= 1
                case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0a, 0x0d:
                    if depth == 0 { return base + index }
                default: break
                }
                index += 1
            }
            return nil
        }
    }

    private static func end(ofStringAt start: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var index = start + 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { return index + 1 }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }
}
