import VestigeCore

/// The payload of a block: its columns, compressed.
///
/// A directory names the columns there are and their sizes; small columns share a frame. See
/// `Schemas/archive-format.md`, "Payload".
enum BlockPayload {
    /// Columns below this size share a frame.
    private static let smallColumn = 1 << 10
    /// All columns together are at most so large; a block whose columns are larger is stored as it is.
    static func mostColumnBytes(rawSize: Int) -> Int { 4 * rawSize + (1 << 16) }
    private static let fixedLength = 8

    static func append(
        _ columns: ColumnSet, level: ArchiveLevel, _ compressor: ZstdCompressor, to output: inout ByteColumn
    ) {
        var (directory, pool, frames) = (ByteColumn(), ByteColumn(), ByteColumn())
        defer { for column in [directory, pool, frames] { column.free() } }
        let present = (0..<ColumnID.count).filter { columns.columns[$0].count > 0 }
        var previous = 0
        directory.appendVarint(UInt64(present.count))
        for id in present {
            directory.appendVarint(UInt64(id - previous))
            directory.appendVarint(UInt64(columns.columns[id].count))
            previous = id
            if columns.columns[id].count < smallColumn { pool.append(columns.columns[id].bytes) }
        }
        if pool.count > 0 {
            compressor.append(pool.bytes, level: max(level.columns, ArchiveLevel.default.stored), to: &frames)
            directory.appendVarint(UInt64(frames.count))
        }
        for id in present where columns.columns[id].count >= smallColumn {
            let start = frames.count
            let zstdLevel = id == ColumnID.stored ? level.stored : level.columns
            compressor.append(columns.columns[id].bytes, level: zstdLevel, to: &frames)
            directory.appendVarint(UInt64(frames.count - start))
        }
        let start = output.count
        _ = output.extend(fixedLength)
        compressor.append(directory.bytes, level: ArchiveLevel.small.columns, to: &output)
        let target = UnsafeMutableRawPointer(output.base! + start)
        target.storeBytes(of: UInt32(output.count - start - fixedLength).littleEndian, as: UInt32.self)
        target.storeBytes(of: UInt32(directory.count).littleEndian, toByteOffset: 4, as: UInt32.self)
        output.append(frames.bytes)
    }

    /// Fills the columns from a payload.
    /// - Parameter rawSize: of all segments; it bounds what columns may claim.
    /// - Returns: false if it is damaged.
    static func read(
        _ payload: UnsafeRawBufferPointer, rawSize: Int, into columns: ColumnSet, _ decompressor: ZstdDecompressor
    ) -> Bool {
        columns.removeAll()
        let limit = mostColumnBytes(rawSize: rawSize)
        var input = ByteColumn(reading: payload)
        guard let packedSize = input.nextUInt32(), let directorySize = input.nextUInt32(),
            Int(directorySize) <= ColumnID.count * 32, let frame = input.next(Int(packedSize))
        else { return false }
        var (directory, pool) = (ByteColumn(), ByteColumn())
        defer { for column in [directory, pool] { column.free() } }
        guard decompressor.decompress(frame, into: directory.resize(Int(directorySize))),
            let present = readDirectory(&directory, limit)
        else { return false }
        let poolSize = present.reduce(0) { $0 + ($1.size < smallColumn ? $1.size : 0) }
        if poolSize > 0 {
            guard let frame = nextFrame(&directory, &input), decompressor.decompress(frame, into: pool.resize(poolSize))
            else { return false }
        }
        for column in present {
            if column.size < smallColumn {
                columns.columns[column.id].append(pool.next(column.size)!)
            } else {
                guard let frame = nextFrame(&directory, &input),
                    decompressor.decompress(frame, into: columns.columns[column.id].resize(column.size))
                else { return false }
            }
        }
        return directory.isRead && input.isRead
    }

    private static func nextFrame(_ directory: inout ByteColumn, _ input: inout ByteColumn) -> UnsafeRawBufferPointer? {
        guard let size = directory.nextVarint(), size <= UInt64(input.count) else { return nil }
        return input.next(Int(size))
    }

    private static func readDirectory(_ directory: inout ByteColumn, _ limit: Int) -> [(id: Int, size: Int)]? {
        guard let count = directory.nextVarint(), count <= UInt64(ColumnID.count) else { return nil }
        var present: [(id: Int, size: Int)] = []
        var (id, sum) = (0, 0)
        for index in 0..<Int(count) {
            guard let step = directory.nextVarint(), step < UInt64(ColumnID.count), step > 0 || index == 0,
                let size = directory.nextVarint(), size > 0, size <= UInt64(limit - sum)
            else { return nil }
            id += Int(step)
            sum += Int(size)
            guard id < ColumnID.count else { return nil }
            present.append((id, Int(size)))
        }
        return present
    }
}
