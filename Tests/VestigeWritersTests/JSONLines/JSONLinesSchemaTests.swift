import Foundation
import Testing
import VestigeCore
import VestigeTestSupport

@Suite struct JSONLinesSchemaTests {
    static let url = Samples.folder.deletingLastPathComponent().appendingPathComponent("Schemas/event-ir.schema.json")

    let lines: [Substring]
    let check: JSONSchemaCheck

    init() throws {
        lines = try JSONLinesText.write(EventScript.ofEveryKind()).split(separator: "\n")
        check = try JSONSchemaCheck(contentsOf: Self.url)
    }

    @Test func everyLineKeepsToTheSchema() throws {
        for line in lines {
            let value = try JSONValue(line)
            #expect(check.defects(of: value) == [], "\(line)")
            #expect(check.undescribedFields(of: value) == [], "\(line)")
        }
        let kinds = Set(EventKind.allCases.map { "\($0.name)" } + ["Header", "Stack", "Trailer"])
        #expect(try Set(lines.compactMap { try JSONValue($0)["kind"]?.string }) == kinds)
    }

    @Test(arguments: [
        #"{"t":1}"#, #"{"kind":"Sync"}"#, #"{"kind":"Nonsense","t":1}"#, #"{"kind":"Sync","t":"1"}"#,
        #"{"kind":"Sync","t":1.5}"#, #"{"kind":"Metric","t":1,"name":"n","value":-1}"#,
        #"{"kind":"Sync","t":1,"stack":"main.main"}"#, #"{"kind":"Sync","t":1,"source":256}"#,
        #"{"kind":"RegionBegin","t":1,"task":1,"type":"x","type_hex":"abc"}"#,
        #"{"kind":"StateTransition","t":1,"resource":"goroutine","id":1,"from":"Idle","to":"Running"}"#,
        #"{"kind":"StateTransition","t":1,"resource":"proc","id":1,"from":"Idle","to":"Waiting"}"#,
        #"{"kind":"Stack","id":1}"#, #"{"kind":"Header","format":"other","version":1}"#,
        #"{"kind":"Experimental","t":1,"name":"n","experiment":"e","args":{"a":1,"b":1,"c":1,"d":1}}"#,
    ]) func theSchemaRefuses(_ line: String) throws {
        #expect(check.defects(of: try JSONValue(line)) != [])
    }

    /// The same with an independent implementation of JSON Schema, where there is one.
    @Test(.enabled(if: Self.hasValidator)) func anIndependentValidatorAgrees() throws {
        let script = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            for line in open(sys.argv[2], encoding="utf-8", newline="\\n"):
                for error in validator.iter_errors(json.loads(line)):
                    sys.exit(line[:200] + ": " + error.message)
            """
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        #expect(try Self.runPython(["-c", script, Self.url.path, file.path]) == 0)
    }

    static let hasValidator = (try? runPython(["-c", "import jsonschema; jsonschema.Draft202012Validator"])) == 0

    private static func runPython(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
