import Testing
import VestigeStages

/// Patterns for names.
@Suite struct GlobTests {
    @Test(arguments: [
        ("main.*", "main.main", true), ("main.*", "main.", true), ("main.*", "mainx", false), ("*", "", true),
        ("", "", true), ("", "x", false), ("?", "é", true), ("?", "ab", false), ("??", "é", false),
        ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-c-b", false), ("*.(*T).f", "p.(*T).f", true),
        ("f[go.shape.int]", "f[go.shape.int]", true), ("order", "orders", false), ("*er", "order", true),
        ("**", "x", true), ("a*", "b", false),
    ])
    func matches(_ pattern: String, _ name: String, _ isMatch: Bool) {
        #expect(Glob(pattern).matches(name) == isMatch)
    }

    /// What would take exponential time if every star were gone back to.
    @Test func hostilePatternsEnd() {
        let pattern = String(repeating: "*a", count: 50) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 1000)))
    }
}
