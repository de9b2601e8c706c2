import VestigeCore

/// Text on its way to a terminal: control characters, which names in a recording may hold, become
/// `\xNN`, so that no recording can move the cursor or colour the screen. Line breaks, carriage
/// returns and tabs stay.
final class TerminalSink: ByteSink {
    private let inner: any ByteSink
    /// The last write ended in 0xc2, the first byte of U+0080 to U+009F.
    private var endsInLead = false

    init(_ inner: any ByteSink) { self.inner = inner }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
        var safe: [UInt8] = []
        safe.reserveCapacity(bytes.count + 1)
        for byte in bytes {
            let isC1 = endsInLead && (0x80...0x9f).contains(byte)
            if endsInLead, !isC1 { safe.append(0xc2) }
            endsInLead = byte == 0xc2
            if endsInLead { continue }
            let isControl = byte < 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d || byte == 0x7f
            if isC1 || isControl { Self.escape(byte, into: &safe) } else { safe.append(byte) }
        }
        try pass(safe)
    }

    /// Passes on what is held back; the inner sink is finished by its owner.
    func finish() throws(TraceError) {
        if endsInLead { try pass([0xc2]) }
        endsInLead = false
    }

    private func pass(_ bytes: [UInt8]) throws(TraceError) {
        var failure: TraceError?
        bytes.withUnsafeBytes { buffer in
            do throws(TraceError) { try inner.write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func escape(_ byte: UInt8, into text: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        text += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
