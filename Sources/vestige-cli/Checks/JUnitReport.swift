import Vestige

/// Results as JUnit XML, as CI systems read it: a suite for each recording, a case for each rule.
struct JUnitReport {
    private let rules: RuleFile
    private var suites: [String] = []
    private var testCount = 0
    private var failureCount = 0
    private var errorCount = 0

    init(rules: RuleFile) { self.rules = rules }

    mutating func add(_ result: CheckResult) {
        var words = CheckWords(result)
        let cases = result.findings.map { self.testCase($0, &words) }
        testCount += cases.count
        failureCount += result.brokenCount
        suites.append(suite(result.reading.name, cases, failures: result.brokenCount, errors: 0))
    }

    /// A recording that could not be checked.
    mutating func add(_ error: TraceError, of name: String) {
        testCount += 1
        errorCount += 1
        let message = Self.escaped(error.description)
        let test = """
            \(opening("read the recording"))
            <error type="unreadable" message="\(message)">\(message)</error>
            </testcase>

            """
        suites.append(suite(name, [test], failures: 0, errors: 1))
    }

    func write(to sink: any ByteSink) throws(TraceError) {
        let buffer = TextBuffer(sink)
        defer { buffer.deallocate() }
        buffer.append(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="vestige check" tests="\(testCount)" failures="\(failureCount)" errors="\(errorCount)">

            """)
        for suite in suites {
            buffer.append(suite)
            try buffer.flushIfNeeded()
        }
        buffer.append("</testsuites>\n")
        try buffer.flush()
    }

    private func suite(_ name: String, _ cases: [String], failures: Int, errors: Int) -> String {
        """
        <testsuite name="\(Self.escaped(name))" tests="\(cases.count)" failures="\(failures)" errors="\(errors)">
        \(cases.joined())</testsuite>

        """
    }

    private func testCase(_ finding: CheckFinding, _ words: inout CheckWords) -> String {
        let verdict = "\(CheckWords.demand(finding.rule)): \(words.verdict(finding))"
        var text = opening(finding.rule.name) + "\n"
        if finding.holds {
            text += "<system-out>\(Self.escaped(verdict))</system-out>\n"
        } else {
            let lines = [verdict] + finding.examples.flatMap { CheckText.evidence($0, finding, &words) }
            let body = lines.map(Self.escaped).joined(separator: "\n")
            text +=
                "<failure type=\"\(finding.rule.check.word)\" message=\"\(Self.escaped(verdict))\">\(body)</failure>\n"
        }
        return text + "</testcase>\n"
    }

    private func opening(_ name: String) -> String {
        "<testcase name=\"\(Self.escaped(name))\" classname=\"\(Self.escaped(rules.path))\">"
    }

    /// Text of an XML document, also within quotes. Control characters are shown as on a terminal: XML allows most of
    /// them in no way at all.
    private static func escaped(_ text: String) -> String {
        let shown = Console.escaped(text).unicodeScalars.map { $0 == "\u{fffe}" || $0 == "\u{ffff}" ? "\u{fffd}" : $0 }
        return Markup.escaped(String(String.UnicodeScalarView(shown)))
    }
}
