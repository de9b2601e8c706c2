import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Records are read in two ways: as Delve writes them, and by a decoder where they are written otherwise. Both give
/// the same.
@Suite struct DelveRecordTests {
    /// A member that no version of Delve writes, with an escape: whatever has it goes to the decoder.
    private static let odd = #""x":"\u0041","#

    private func lines(_ json: String) throws -> [String] {
        let reading = Reading(bytes: Array(json.utf8), format: DelveFormats.json)
        #expect(reading.error == nil)
        return try JSONLinesText.write(reading.events, reading.tables).split(separator: "\n").map { line in
            // Which string came first, and so the numbers of stacks, may differ.
            String(line).replacing(/"(t?stack_id|id)":\d+,?/, with: "")
        }.filter { $0.contains("Observed") }
    }

    private func check(_ json: String, atLeast count: Int) throws {
        // Before each record's first member.
        let slow = json.replacing("{\"id\":", with: "{\(Self.odd)\"id\":").replacing(
            "{\"pc\":", with: "{\(Self.odd)\"pc\":")
        let (one, other) = (try lines(json), try lines(slow))
        #expect(one == other)
        #expect(one.count >= count)
    }

    @Test func bothWaysGiveTheSame() throws {
        try check(
            #"""
            {"id":2,"result":{"Goroutines":[
            {"id":1,"currentLoc":{"pc":5,"file":"m.go","line":3,"function":{"name":"main.main","value":7,"optimized":true}},
             "userCurrentLoc":{"pc":6,"file":"m.go","line":4,"function":null},"goStatementLoc":{"pc":0,"file":"","line":0},
             "startLoc":{"pc":9,"file":"p.go","line":-1,"function":{"name":""}},"threadID":7,"status":2,"waitSince":0,
             "waitReason":0,"unreadable":"","labels":null},
            {"id":2,"currentLoc":{"pc":18446744073709551615,"file":"größe.go","line":3,"function":{"name":"main.größe"}},
             "threadID":0,"status":4100,"waitSince":99,"waitReason":19,"labels":{"b":"1","a":"2"}},
            {"id":3,"status":null,"labels":{}},
            {"id":4,"unreadable":"could not read","status":4,"waitReason":-2,"waitSince":1234567890123456789}
            ],"Nextg":-1},"error":null}
            {"method":"RPCServer.Stacktrace","params":[{"Id":2,"Depth":9}],"id":3}
            {"id":3,"result":{"Locations":[
            {"pc":5,"file":"p.go","line":9,"function":{"name":"runtime.gopark"},"Locals":null,"Arguments":[],"FrameOffset":-8,
             "Defers":null,"Bottom":false,"Err":""},
            {"pc":6,"file":"m.go","line":9,"function":{"name":"main.f"},"Bottom":true}]},"error":null}
            """#, atLeast: 4)
        try check(
            #"""
            {"method":"RPCServer.Stacktrace","params":[{"Id":2,"Depth":9}],"id":3}
            {"id":3,"result":{"Locations":[{"pc":5,"file":"p.go","line":9,"function":{"name":"main.f"},"Locals":[{"name":"x"}]},
            {"pc":0,"Err":"EOF"}]},"error":null}
            """#, atLeast: 1)
    }

    /// What is no JSON is said, in whatever member it is. (The decoder looks at numbers only where they are needed.)
    @Test(arguments: ["nope", "\"a", "[1,2", "1.5", "--1", "{]"])
    func whatIsNoRecordIsAnError(_ value: String) {
        for member in ["status", "other", "labels"] where !(member == "other" && ["1.5", "--1"].contains(value)) {
            let json = #"{"result":{"Goroutines":[{"id":1,"currentLoc":null},{"id":2,"\#(member)":\#(value)}]}}"#
            let reading = Reading(bytes: Array(json.utf8), format: DelveFormats.json)
            #expect(reading.error != nil, "\(member): \(value)")
        }
    }

    @Test(arguments: Corpus.threeToolFolders)
    func bothWaysGiveTheSameOfRecordings(_ folder: String) throws {
        let path = "\(folder)/rpc/02-phase-B/list-goroutines.response.json"
        guard FileManager.default.fileExists(atPath: path) else { return }
        try check(String(decoding: try Corpus.bytes(of: path), as: UTF8.self), atLeast: 50)
    }
}
