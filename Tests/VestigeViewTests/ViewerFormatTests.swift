import Testing
import Vestige
import VestigeTestSupport

@testable import VestigeView

/// Which files are shown as they are.
@Suite struct ViewerFormatTests {
    @Test(arguments: [
        "{\"traceEvents\":[]}", " \n{ \"displayTimeUnit\": \"ns\", \"traceEvents\": [", "[{\"ph\":\"X\"}]",
        "\n[\n{\"name\": \"a\", \"ph\": \"B\"",
    ])
    func chromeJSON(_ text: String) { #expect(ViewerFormat(prefix: Array(text.utf8)) == .chromeJSON) }

    @Test(
        arguments: [
            [0x0a, 0x02, 0x40, 0x01],  // one packet: timestamp (8) = 1
            [0x0a, 0x80, 0x02, 0x40, 0x01],  // a packet of 256 bytes, cut
            [0x0a, 0x04, 0x62, 0x02, 0x08, 0x01, 0x0a],
        ] as [[UInt8]])
    func perfetto(_ bytes: [UInt8]) { #expect(ViewerFormat(prefix: bytes) == .perfetto) }

    @Test(arguments: [
        "", "{", "{}", "[]", "{\"a\":1}", "go 1.26 trace\0\0\0", "text", "\n", "\n\n\n", "\nhello\n",
        "\n\u{2}\u{7}\u{1}", "\n\u{2}\u{40}\u{ff}\u{0}", "\u{7f}ELF",
    ])
    func neither(_ text: String) { #expect(ViewerFormat(prefix: Array(text.utf8)) == nil) }

    @Test func everyPrefixOfATraceIsOne() throws {
        let bytes = try CommandLineTool.run(
            ["convert", PackagePaths.sample("orders"), "--to", "perfetto", "-o", "-"]).output
        for count in 3..<300 { #expect(ViewerFormat(prefix: Array(bytes.prefix(count))) == .perfetto) }
    }
}

@Suite struct WebAddressTests {
    @Test(arguments: [
        ("https://ui.perfetto.dev", "https://ui.perfetto.dev", "https://ui.perfetto.dev/"),
        ("http://127.0.0.1:10000/", "http://127.0.0.1:10000", "http://127.0.0.1:10000/"),
        ("https://Tools.example/perfetto", "https://tools.example", "https://tools.example/perfetto/"),
    ])
    func addresses(_ text: String, _ origin: String, _ whole: String) throws {
        let address = try #require(WebAddress(text))
        #expect(address.origin == origin)
        #expect(address.text == whole)
    }

    @Test(arguments: [
        "", "https://", "ui.perfetto.dev", "ftp://a", "https://a b", "https://a/\"", "https://a/?x", "javascript:1",
    ])
    func others(_ text: String) { #expect(WebAddress(text) == nil) }
}

@Suite struct ViewPageTests {
    @Test func namesAreText() {
        #expect(Markup.escaped("<script>\"a\" & b</script>") == "&lt;script&gt;&quot;a&quot; &amp; b&lt;/script&gt;")
    }
}
