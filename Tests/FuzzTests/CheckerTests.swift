import Testing

@testable import VestigeFuzzTargets

/// What the fuzz targets believe of outputs: a check that takes everything would find nothing.
@Suite struct CheckerTests {
    private func accepts(_ checker: some OutputChecker, _ bytes: [UInt8]) -> Bool {
        var checker = checker
        for byte in bytes {
            if let plain = checker.plainBytes, plain[Int(byte)] { continue }
            if !checker.take(byte) { return false }
        }
        return checker.isComplete
    }

    @Test(arguments: [
        "{}", "[1,2,{\"a\":[]}]", "{\"a\":-0.5e+10,\"b\":true,\"c\":null,\"d\":\"λ\\u00ff\\n\"}\n", "[0]", "[10.25]",
    ])
    func jsonIsTaken(_ text: String) { #expect(accepts(JSONChecker(.document), Array(text.utf8))) }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "[01]", "[1.]", "[-]", "[1e]", "[+1]", "{}{}", "\"\t\"", "[tru]",
        "[\"\\x\"]", "[\"\\u00g0\"]", "{\"a\":1,}", "[1}", "{,}",
    ])
    func whatIsNoJSONIsNot(_ text: String) { #expect(!accepts(JSONChecker(.document), Array(text.utf8))) }

    @Test(arguments: [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]])
    func bytesThatAreNotUTF8AreNotTaken(_ bytes: [UInt8]) { #expect(!accepts(JSONChecker(.document), bytes)) }

    @Test func linesAreObjects() {
        for text in ["{}\n{\"a\":1}\n", ""] { #expect(accepts(JSONChecker(.lines), Array(text.utf8))) }
        for text in ["{}", "{}\n[]\n", "{\n}\n", "{}{}\n", "\n", "1\n"] {
            #expect(!accepts(JSONChecker(.lines), Array(text.utf8)), "\(text)")
        }
    }

    @Test func rowsHaveAsManyFieldsAsTheFirst() {
        for text in ["a,b\r\n", "a,b\r\n1,\"x\"\"y,\r\n\"\r\n", "a\r\n\r\n", "a,b\r\nλ,\r\n"] {
            #expect(accepts(CSVChecker(), Array(text.utf8)), "\(text)")
        }
        for text in ["", "a,b\r\n1\r\n", "a,b\n", "a\r\n\"x", "a\r\nx\"y\r\n", "a\r\n\"x\"y\r\n", "a,b\r\n1,2"] {
            #expect(!accepts(CSVChecker(), Array(text.utf8)), "\(text)")
        }
    }

    @Test func packetsHoldWholeFields() {
        for bytes: [UInt8] in [[], [0x0a, 0], [0x0a, 2, 0x08, 1]] { #expect(accepts(ProtobufChecker(), bytes)) }
        for bytes: [UInt8] in [
            [0x0a, 2, 0x08], [0x0a, 2, 0x08, 0x80], [0x12, 0], [0x0a, 2, 0x12, 9], [0x0a, 1, 0x00],
        ] {
            #expect(!accepts(ProtobufChecker(), bytes), "\(bytes)")
        }
    }
}
