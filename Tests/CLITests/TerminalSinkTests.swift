import Testing

@testable import Vestige

/// Text from a recording cannot steer a terminal, however it is cut into writes.
@Suite struct TerminalSinkTests {
    private func shown(_ bytes: [UInt8], step: Int) throws -> String {
        let memory = MemorySink()
        let sink = TerminalSink(memory)
        for start in stride(from: 0, to: bytes.count, by: step) {
            try bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { try sink.write($0) }
        }
        try sink.finish()
        return String(decoding: memory.bytes, as: UTF8.self)
    }

    @Test(arguments: [1, 2, 3, 100])
    func controlCharactersAreShown(_ step: Int) throws {
        #expect(
            try shown(Array("a\u{1b}[31m\u{7f}\u{9b}2J\0\n\tb\r\n".utf8), step: step)
                == "a\\x1b[31m\\x7f\\x9b2J\\x00\n\tb\r\n")
        #expect(try shown(Array("é £ → 漢 \u{a0}".utf8), step: step) == "é £ → 漢 \u{a0}")
        #expect(try shown([0x61, 0xc2], step: step) == "a\u{fffd}")
    }
}
