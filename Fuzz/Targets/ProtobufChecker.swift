/// Checks a protobuf file that is a sequence of packets, as Perfetto's traces are: each is field 1 with a
/// length, and holds whole fields.
struct ProtobufChecker: OutputChecker {
    private enum Place { case tag, length, content }

    private static let packetTag: UInt8 = 1 << 3 | 2
    private static let packetLimit = 64 << 20

    private var place = Place.tag
    private var length = 0
    private var shift = 0
    private var packet: [UInt8] = []

    var isComplete: Bool { place == .tag }

    mutating func take(_ byte: UInt8) -> Bool {
        switch place {
        case .tag:
            (place, length, shift) = (.length, 0, 0)
            return byte == Self.packetTag
        case .length:
            length |= Int(byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { place = length == 0 ? .tag : .content }
            return length <= Self.packetLimit && shift <= 28
        case .content:
            packet.append(byte)
            guard packet.count == length else { return true }
            place = .tag
            defer { packet.removeAll(keepingCapacity: true) }
            return Self.holdsFields(packet)
        }
    }

    private static func holdsFields(_ bytes: [UInt8]) -> Bool {
        var position = 0
        while position < bytes.count {
            guard let tag = varint(bytes, &position), tag >> 3 > 0 else { return false }
            switch tag & 7 {
            case 0: guard varint(bytes, &position) != nil else { return false }
            case 1: position += 8
            case 2:
                guard let length = varint(bytes, &position), length <= UInt64(bytes.count) else { return false }
                position += Int(length)
            case 5: position += 4
            default: return false
            }
        }
        return position == bytes.count
    }

    private static func varint(_ bytes: [UInt8], _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<10 where position < bytes.count {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        return nil
    }
}
