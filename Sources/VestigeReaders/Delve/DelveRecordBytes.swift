import VestigeCore

/// Reads goroutines and frames as Delve writes them, without a decoder in between: large answers consist of little
/// else. Whatever is written otherwise (escapes, other letters than ASCII, numbers too large, errors) gives nil and
/// is left to the decoder, which knows what to say of it.
struct DelveRecordBytes {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let state: DelveState
    private var position = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ state: DelveState) {
        self.bytes = bytes
        self.state = state
    }

    /// One goroutine of `ListGoroutines` (`service/api/types.go`, `Goroutine`).
    static func goroutine(_ piece: ArraySlice<UInt8>, _ state: DelveState) -> DelveGoroutine? {
        piece.withUnsafeBufferPointer { bytes in
            var reader = DelveRecordBytes(bytes, state)
            var goroutine = DelveGoroutine()
            return reader.read(&goroutine) ? goroutine : nil
        }
    }

    /// One frame of a stack (`Stackframe`), and whether it is the outermost.
    static func frame(_ piece: ArraySlice<UInt8>, _ state: DelveState) -> (frame: Frame, isBottom: Bool)? {
        piece.withUnsafeBufferPointer { bytes in
            var reader = DelveRecordBytes(bytes, state)
            var place = Place()
            var isBottom = false
            let isRead = reader.object { reader, key in
                if reader.isKey(key, "Bottom") { return reader.boolean(&isBottom) }
                if reader.isKey(key, "Err") { return reader.isEmptyValue() }
                if reader.isKey(key, "Locals") || reader.isKey(key, "Arguments") || reader.isKey(key, "Defers") {
                    return reader.isEmptyValue()
                }
                return reader.member(key, of: &place)
            }
            guard isRead, reader.isAtEnd else { return nil }
            return (place.frame, isBottom)
        }
    }

    // MARK: - Records

    private struct Place {
        var frame = Frame(programCounter: 0, function: .empty, file: .empty, line: 0)
        var hasFunction = false
    }

    private mutating func read(_ goroutine: inout DelveGoroutine) -> Bool {
        var hasID = false
        goroutine.status = 0
        let isRead = object { reader, key in
            switch key.count {
            case 2 where reader.isKey(key, "id"):
                hasID = true
                return reader.integer(&goroutine.id)
            case 6 where reader.isKey(key, "status"):
                var status: Int64 = 0
                defer { goroutine.status = status }
                return reader.integer(&status) && status >= 0
            case 6 where reader.isKey(key, "labels"): return reader.labels(&goroutine.labels)
            case 8 where reader.isKey(key, "threadID"): return reader.integer(&goroutine.thread)
            case 8 where reader.isKey(key, "startLoc"): return reader.location(&goroutine.startLocation)
            case 9 where reader.isKey(key, "waitSince"): return reader.integer(&goroutine.waitSince)
            case 10 where reader.isKey(key, "waitReason"): return reader.integer(&goroutine.reasonCode)
            case 10 where reader.isKey(key, "currentLoc"): return reader.location(&goroutine.runtimeLocation)
            case 10 where reader.isKey(key, "unreadable"): return reader.string(&goroutine.unreadable)
            case 14 where reader.isKey(key, "userCurrentLoc"): return reader.location(&goroutine.userLocation)
            case 14 where reader.isKey(key, "goStatementLoc"): return reader.location(&goroutine.goLocation)
            default: return reader.skip()
            }
        }
        return isRead && hasID && isAtEnd
    }

    private mutating func location(_ location: inout StackID) -> Bool {
        if null() { return true }
        var place = Place()
        guard object({ reader, key in reader.member(key, of: &place) }) else { return false }
        if place.frame.programCounter != 0 || place.hasFunction { location = state.location(place.frame) }
        return true
    }

    private mutating func member(_ key: UnsafeBufferPointer<UInt8>, of place: inout Place) -> Bool {
        var number: Int64 = 0
        if isKey(key, "pc") {
            defer { place.frame.programCounter = UInt64(max(0, number)) }
            return integer(&number) && number >= 0
        }
        if isKey(key, "line") {
            defer { place.frame.line = UInt64(max(0, number)) }
            return integer(&number)
        }
        if isKey(key, "file") { return string(&place.frame.file) }
        guard isKey(key, "function") else { return skip() }
        if null() { return true }
        var (name, hasName) = (StringID.empty, false)
        let isRead = object { reader, key in
            guard reader.isKey(key, "name") else { return reader.skip() }
            hasName = true
            return reader.string(&name)
        }
        (place.frame.function, place.hasFunction) = (name, hasName)
        return isRead
    }

    private mutating func labels(_ list: inout AttributeListID) -> Bool {
        if null() { return true }
        var labels: [Attribute] = []
        let isRead = object { reader, key in
            var value = StringID.empty
            guard reader.string(&value) else { return false }
            labels.append(Attribute(name: reader.intern(key), value: value))
            return true
        }
        list = state.tables.observations.intern(labels: labels, state.tables.strings)
        return isRead
    }

    // MARK: - Values

    private func intern(_ text: UnsafeBufferPointer<UInt8>) -> StringID {
        state.tables.strings.intern(UnsafeRawBufferPointer(text))
    }

    private func isKey(_ key: UnsafeBufferPointer<UInt8>, _ name: StaticString) -> Bool {
        key.count == name.utf8CodeUnitCount
            && key.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    private mutating func object(
        _ member: (inout DelveRecordBytes, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        if take(UInt8(ascii: "}")) { return true }
        while true {
            guard let key = text(), take(UInt8(ascii: ":")), member(&self, key) else { return false }
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}"))
        }
    }

    @inline(__always) private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    @inline(__always) private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        skipSpace()
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count,
            bytes[position..<position + count].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
        else { return false }
        position += count
        return true
    }

    private mutating func null() -> Bool { take("null") }

    private mutating func boolean(_ value: inout Bool) -> Bool {
        value = take("true")
        return value || take("false") || null()
    }

    /// An empty list or string, or null.
    private mutating func isEmptyValue() -> Bool {
        if take("[") { return take(UInt8(ascii: "]")) }
        return take("\"\"") || null()
    }

    /// The content of a string of plain ASCII.
    private mutating func text() -> UnsafeBufferPointer<UInt8>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return UnsafeBufferPointer(rebasing: bytes[start..<position])
            }
            if byte == UInt8(ascii: "\\") || byte >= 0x80 || byte < 0x20 { return nil }
            position += 1
        }
        return nil
    }

    private mutating func string(_ value: inout StringID) -> Bool {
        if null() { return true }
        guard let text = text() else { return false }
        value = intern(text)
        return true
    }

    /// A whole number of at most 18 digits.
    private mutating func integer(_ value: inout Int64) -> Bool {
        if null() { return true }
        let isNegative = take(UInt8(ascii: "-"))
        let start = position
        var number: Int64 = 0
        while position < bytes.count, bytes[position] &- 0x30 < 10 {
            number = number &* 10 &+ Int64(bytes[position] &- 0x30)
            position += 1
        }
        let isPlain = position < bytes.count && ![0x2e, 0x45, 0x65].contains(bytes[position])
        value = isNegative ? -number : number
        return (1...18).contains(position - start) && isPlain
    }

    /// Passes over a string, a whole number, or a word. (Delve has nothing else there.)
    private mutating func skip() -> Bool {
        skipSpace()
        guard position < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "\"") { return text() != nil }
        if take("true") || take("false") || null() { return true }
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let start = position
        while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
        return position > start
    }
}
