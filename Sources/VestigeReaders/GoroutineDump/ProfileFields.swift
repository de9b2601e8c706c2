import VestigeCore

/// The fields of a profile message, one after the other. What is within them is decoded elsewhere.
struct ProfileFields {
    struct Field {
        var number: UInt64
        /// The value of a field that is a number.
        var value: UInt64
        /// The content of one that is no number.
        var content: UnsafeRawBufferPointer
        var hasContent = false
        /// Of the field's first byte.
        var offset: Int
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// - Returns: nil at the end.
    /// - Throws: `damaged` for what is no field, `truncated` for one that goes beyond the end.
    mutating func next() throws(TraceError) -> Field? {
        guard offset < bytes.count else { return nil }
        let start = offset
        let tag = try varint(from: start)
        let nothing = UnsafeRawBufferPointer(rebasing: bytes[0..<0])
        var field = Field(number: tag >> 3, value: 0, content: nothing, offset: start)
        switch tag & 7 {
        case 0 where field.number > 0: field.value = try varint(from: start)
        case 1 where field.number > 0: _ = try take(8, from: start)
        case 2 where field.number > 0:
            field.content = try take(try varint(from: start), from: start)
            field.hasContent = true
        case 5 where field.number > 0: _ = try take(4, from: start)
        default:
            throw TraceError(
                .damaged, byteOffset: UInt64(start), expected: "a field of a profile",
                found: "field \(tag >> 3) of type \(tag & 7)")
        }
        return field
    }

    private mutating func take(_ length: UInt64, from start: Int) throws(TraceError) -> UnsafeRawBufferPointer {
        guard length <= UInt64(bytes.count - offset) else {
            throw TraceError(
                .truncated, byteOffset: UInt64(start), expected: "a field with \(length) bytes of content",
                found: "the end after \(bytes.count - offset)")
        }
        let content = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
        offset += Int(length)
        return content
    }

    private mutating func varint(from start: Int) throws(TraceError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard offset < bytes.count else {
                throw TraceError(
                    .truncated, byteOffset: UInt64(start), expected: "a whole field", found: "the end of the profile")
            }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7f) &<< UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw TraceError(
            .damaged, byteOffset: UInt64(start), expected: "a varint of at most 10 bytes", found: "a longer one")
    }
}

/// The numbers of `Profile`'s fields (`Schemas/pprof/profile.proto`).
enum ProfileField {
    static let sampleType: UInt64 = 1
    static let sample: UInt64 = 2
    static let mapping: UInt64 = 3
    static let location: UInt64 = 4
    static let function: UInt64 = 5
    static let string: UInt64 = 6
    static let timeNanoseconds: UInt64 = 9
    static let periodType: UInt64 = 11
    static let comment: UInt64 = 13
}
