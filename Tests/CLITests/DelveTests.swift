import Foundation
import Testing
import VestigeTestSupport

/// Delve's output through the command.
@Suite struct DelveTests {
    static let listing = """
        * Goroutine 1 - User: ./main.go:15 main.main (0x48d9be) (thread 27480)
          Goroutine 7 - User: /go/src/sync/mutex.go:90 sync.(*Mutex).Lock (0x48d9ff) [timer goroutine (idle) 77]
          Goroutine 8 - User: ./main.go:21 main.wait (0x48d9ff) [wait for GC cycle 77]
        [3 goroutines]

        """

    private func lines(_ arguments: [String], _ input: String) throws -> [JSONValue] {
        let result = try CommandLineTool.run(
            ["convert", "-", "--to", "jsonl", "-q"] + arguments, input: Array(input.utf8))
        #expect(result.status == 0, "\(result.errors)")
        return try result.text.split(separator: "\n").map {
            try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
        .filter { $0["kind"]?.string == "Observed" }
    }

    @Test func wrongWordsOfDelveArePutRight() throws {
        let seen = try lines(["--go-version", "1.22"], Self.listing)
        #expect(seen.map { $0["reason"]?.string } == ["", "sync.Mutex.Lock", "sync.RWMutex.Lock"])
        #expect(seen.map { $0["state"]?.string } == ["running", "waiting", "waiting"])
    }

    @Test func whatIsDoubtfulIsSaid() throws {
        // The mutex, of which the place is proof, betrays Delve's table; without it there are several.
        let known = try lines([], Self.listing)
        #expect(known.map { $0["reason"]?.string } == ["", "sync.Mutex.Lock", "sync.RWMutex.Lock"])
        let rest = Self.listing.split(separator: "\n").filter { !$0.contains("Mutex") && !$0.hasPrefix("[") }
        let seen = try lines([], rest.joined(separator: "\n"))
        #expect(seen[1]["reason"]?.string == "wait for GC cycle")
        #expect("\(seen[1])".contains("doubt") && "\(seen[1])".contains("sync.RWMutex.Lock"), "\(seen[1])")
    }

    @Test func incompleteListingIsALoss() throws {
        let cut = Self.listing.replacingOccurrences(of: "[3 goroutines]\n", with: "")
        let result = try CommandLineTool.run(
            ["convert", "-", "--to", "null", "--strict"], input: Array(cut.utf8))
        #expect(result.status == 4 && result.errors.contains("1 listing of goroutines is not complete"))
    }

    @Test func errorOfTheDebuggerIsAnError() throws {
        let answer = #"{"id":63,"result":null,"error":"unknown goroutine 987654"}"#
        let result = try CommandLineTool.run(["info", "-"], input: Array(answer.utf8))
        #expect(result.status == 3 && result.errors.contains("unknown goroutine 987654"), "\(result.errors)")
    }

    @Test func goVersionMustBeOne() throws {
        let result = try CommandLineTool.run(["info", "-", "--go-version", "new"], input: Array(Self.listing.utf8))
        #expect(result.status == 2 && result.errors.contains("--go-version"))
    }
}
