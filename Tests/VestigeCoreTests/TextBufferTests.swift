import Testing
import VestigeCore

@Suite("Text buffer")
struct TextBufferTests {
    private func text(_ body: (TextBuffer) -> Void) throws -> String {
        let sink = MemorySink()
        let buffer = TextBuffer(sink, capacity: 16)
        defer { buffer.deallocate() }
        body(buffer)
        try buffer.flush()
        return String(decoding: sink.bytes, as: UTF8.self)
    }

    @Test("integers of every length read as they should")
    func integers() throws {
        var values: [UInt64] = Array(0...1100) + [.max, .max - 1]
        var power: UInt64 = 1
        for _ in 1...19 {
            power *= 10
            values += [power - 1, power, power + 1]
        }
        for value in values { #expect(try text { $0.append(value) } == String(value)) }
        for value in [Int64.min, -1, -10, 0, .max] { #expect(try text { $0.append(value) } == String(value)) }
    }

    @Test(
        "microseconds have three decimals",
        arguments: [
            (0, "0.000"), (1, "0.001"), (999, "0.999"), (1000, "1.000"), (1_234_567, "1234.567"), (10_090, "10.090"),
            (-1, "-0.001"), (-2500, "-2.500"), (Int64.max, "9223372036854775.807"),
            (Int64.min, "-9223372036854775.808"),
        ])
    func microseconds(_ nanoseconds: Int64, _ expected: String) throws {
        #expect(try text { $0.appendMicroseconds(nanoseconds) } == expected)
    }

    @Test("what is pending grows beyond the first capacity, and is gone after a flush")
    func pending() throws {
        let sink = MemorySink()
        let buffer = TextBuffer(sink, capacity: 4)
        defer { buffer.deallocate() }
        buffer.append("abc")
        buffer.append("defghi")
        #expect(buffer.pending.elementsEqual("abcdefghi".utf8))
        try buffer.flush()
        #expect(buffer.pending.isEmpty)
        buffer.append("j")
        #expect(buffer.bytesWritten == 10)
        try buffer.flush()
        #expect(sink.bytes.elementsEqual("abcdefghij".utf8))
    }
}
