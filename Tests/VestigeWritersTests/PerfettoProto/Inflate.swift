import CZlib

struct NotDeflated: Error {}

/// What zlib's own decompressor makes of these bytes.
func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
    var room = [UInt8](repeating: 0, count: 4 << 20)
    var length = UInt(room.count)
    guard uncompress(&room, &length, bytes, UInt(bytes.count)) == Z_OK else { throw NotDeflated() }
    return Array(room[..<Int(length)])
}
