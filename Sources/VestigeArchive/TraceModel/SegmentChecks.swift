/// Ways to the model for whoever checks it with hostile bytes, without the checksums that stand before it.
@_spi(Checks) public enum SegmentChecks {
    /// What becomes of a segment that is encoded and decoded; nil if the model refuses it.
    public static func roundTrip(_ bytes: [UInt8]) -> [UInt8]? {
        let columns = ColumnSet()
        var encoder = SegmentEncoder(columns: columns)
        var padded = bytes + [UInt8](repeating: 0, count: ModelEvent.longestEvent)
        let isEncoded = padded.withUnsafeMutableBufferPointer {
            encoder.append(UnsafeMutableBufferPointer(rebasing: $0[..<bytes.count]))
        }
        return isEncoded ? decode(columns, bytes.count) : nil
    }

    /// Decodes the columns of a segment after some of their bytes were changed. Four bytes describe a change: which
    /// column, where (two bytes), and what stands there then.
    /// - Returns: nil if the decoder refuses them.
    public static func decode(changes: [UInt8], of segment: [UInt8]) -> [UInt8]? {
        let columns = ColumnSet()
        var encoder = SegmentEncoder(columns: columns)
        var padded = segment + [UInt8](repeating: 0, count: ModelEvent.longestEvent)
        _ = padded.withUnsafeMutableBufferPointer {
            encoder.append(UnsafeMutableBufferPointer(rebasing: $0[..<segment.count]))
        }
        let present = (0..<ColumnID.count).filter { columns.columns[$0].count > 0 }
        for start in stride(from: 0, to: changes.count - 3, by: 4) where !present.isEmpty {
            let column = columns.columns[present[Int(changes[start]) % present.count]]
            let place = Int(changes[start + 1]) << 8 | Int(changes[start + 2])
            column.base![place % column.count] = changes[start + 3]
        }
        return decode(columns, segment.count)
    }

    private static func decode(_ columns: ColumnSet, _ count: Int) -> [UInt8]? {
        var decoder = SegmentDecoder(columns: columns)
        var output = [UInt8](repeating: 0, count: count + ModelEvent.longestEvent)
        let isDecoded = output.withUnsafeMutableBufferPointer {
            decoder.decode(into: UnsafeMutableBufferPointer(rebasing: $0[..<count]))
        }
        return isDecoded ? Array(output[..<count]) : nil
    }
}
