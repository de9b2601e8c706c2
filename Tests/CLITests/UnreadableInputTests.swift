import Testing
import VestigeTestSupport

/// Inputs of which nothing can be read: exit code 3, what was expected and found, and no output.
@Suite struct UnreadableInputTests {
    private func expectUnreadable(
        _ bytes: [UInt8], _ message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: "in.trace")
        let result = try CommandLineTool.run(["convert", "in.trace", "-o", "out.jsonl"], in: folder.path)
        #expect(result.status == 3, sourceLocation: sourceLocation)
        #expect(result.text.isEmpty, sourceLocation: sourceLocation)
        #expect(result.errors.hasPrefix("vestige: in.trace: "), sourceLocation: sourceLocation)
        #expect(result.errors.contains(message), sourceLocation: sourceLocation)
        #expect(result.errors.components(matching: "").count == 1, sourceLocation: sourceLocation)
        #expect(folder.names == ["in.trace"], sourceLocation: sourceLocation)
    }

    @Test func emptyFile() throws { try expectUnreadable([], "found an empty file") }

    @Test func text() throws {
        try expectUnreadable(Array("Dear diary,\ntoday".utf8), "found text beginning with \"Dear diary,\"")
    }

    @Test func textWithControlCharactersIsEscaped() throws {
        // U+009B, CSI, is a control character in valid UTF-8.
        try expectUnreadable(Array("a\u{9b}31mred".utf8), "found text beginning with \"a\\x9b31mred\"")
    }

    @Test func binary() throws {
        try expectUnreadable(
            [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0], "found binary data beginning with hex 7f 45 4c 46 02")
    }

    @Test func headerOfATrace() throws { try expectUnreadable(Array("go 1.2".utf8), "expected") }

    @Test func knownFormatsAreNamed() throws {
        try expectUnreadable([0, 1, 2], "gotrace-v2")
        try expectUnreadable(Array("hello".utf8), "or another format of `vestige formats`")
    }

    @Test func missingFile() throws {
        let result = try CommandLineTool.run(["convert", "no such.trace"])
        #expect(result.status == 3)
        #expect(
            result.errors
                == "vestige: no such.trace: expected a file that can be read, found No such file or directory\n")
    }

    @Test func directory() throws {
        let result = try CommandLineTool.run(["convert", "/", "--to", "null"])
        #expect(result.status == 3)
        #expect(result.errors == "vestige: /: expected a file or a pipe, found a directory\n")
    }

    @Test func nameWithControlCharactersIsEscaped() throws {
        let result = try CommandLineTool.run(["info", "a\u{1b}[31m"])
        #expect(result.status == 3)
        #expect(result.errors.hasPrefix("vestige: a\\x1b[31m: "))
    }

    @Test func oneBadFileDoesNotHideOthers() throws {
        let result = try CommandLineTool.run(["info", "nosuch.trace", PackagePaths.sample("hog")])
        #expect(result.status == 3)
        #expect(result.text.contains("hog.trace\n  format"))
    }
}
