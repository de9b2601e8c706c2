import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// What `--views` leaves of a file.
@Suite struct ViewKindsTests {
    private static func file(_ views: ViewKinds, capacity: Int = 8192) throws -> ChromeFile {
        let recording = try TraceInput(PackagePaths.sample("orders"))
        var events: [Event] = []
        _ = try recording.readAll { (batch) throws(TraceError) in events.append(contentsOf: batch) }
        var options = OutputOptions()
        options.views = views
        options.flows = .all
        return try ChromeFile(writing: events, recording.tables, capacity: capacity, options: options)
    }

    private static func lines(_ file: ChromeFile) -> [String] {
        file.text.split(separator: "\n").map { $0.hasSuffix(",") ? String($0.dropLast()) : String($0) }
            .filter { $0.hasPrefix("{\"ph\"") }.sorted()
    }

    @Test("views together have the same events as each alone")
    func disjoint() throws {
        let kinds: [ViewKinds] = [.procs, .goroutines, .regions, .threads, .tasks, .runtime]
        var alone: [String] = []
        for kind in kinds {
            let file = try Self.file(kind)
            #expect(file.defects == [])
            alone += Self.lines(file)
        }
        // Processes and rows are named in several, and a row of regions after the function if no other is.
        let isNoName = { (line: String) in !line.hasPrefix("{\"ph\":\"M\"") }
        let whole = Self.lines(try Self.file(.all)).filter(isNoName)
        let isSame = alone.filter(isNoName).sorted() == whole
        #expect(isSame)
    }

    @Test("the file has the same events whether one thread writes it or two", arguments: [1, 100, 255, 256, 1000])
    func batches(_ capacity: Int) throws {
        let (one, other) = (try Self.file(.all), try Self.file(.all, capacity: capacity))
        #expect(other.defects == [])
        #expect(Self.lines(one) == Self.lines(other))
        #expect(try Self.file(.all, capacity: capacity).text == other.text)
    }

    @Test("a file whose first event is not of a goroutine begins right")
    func firstEvent() throws {
        var recording = Recording()
        recording.metric(1, "/sched/gomaxprocs:threads", 4)
        recording.metric(2, "/sched/gomaxprocs:threads", 5)
        let file = try ChromeFile(writing: recording.events, recording.tables)
        #expect(file.defects == [])
        #expect(file.events("C").count == 2)
    }

    @Test("stacks of all parts are in the file")
    func stacks() throws {
        let file = try Self.file(.all)
        let frames = try #require(file.top["stackFrames"] as? [String: Any])
        let used = Set(file.events.compactMap { $0["sf"] as? Int })
        #expect(!used.isEmpty && used.allSatisfy { frames[String($0)] != nil })
    }
}
