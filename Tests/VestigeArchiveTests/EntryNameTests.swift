import Testing

@testable import VestigeArchive

@Suite struct EntryNameTests {
    @Test(arguments: [
        "", "/etc/passwd", "../a", "a/../b", "a/./b", "a//b", "a/", ".", "..", "a\nb", "a\u{1b}[0m", "a\u{202e}b",
        String(repeating: "x", count: 256), String(repeating: "x/", count: 2500) + "x",
    ])
    func refusesNamesThatCouldDoHarm(_ name: String) {
        #expect(EntryName.defect(name) != nil)
    }

    @Test(arguments: ["a", "a/b.trace", "ä/ö", "...", "a..b/.c", "-f"])
    func acceptsOrdinaryNames(_ name: String) {
        #expect(EntryName.defect(name) == nil)
    }

    @Test func namesOfPathsLeadNowhereElse() {
        #expect(EntryName.forPath("/var/log/a.trace") == "var/log/a.trace")
        #expect(EntryName.forPath("./a//b") == "a/b")
        #expect(EntryName.forPath("../../x/../y/z") == "y/z")
    }

    @Test func patternsFitNamesAndFolders() {
        #expect(EntryName.matches("a/b.trace", "a"))
        #expect(EntryName.matches("a/b.trace", "a/"))
        #expect(EntryName.matches("a/b.trace", "*.trace"))
        #expect(!EntryName.matches("ab/c", "a"))
    }
}
