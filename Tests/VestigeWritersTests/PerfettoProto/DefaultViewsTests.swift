import Foundation
import Testing
import Vestige

/// What files of viewers show where nothing is asked for.
@Suite struct DefaultViewsTests {
    @Test("natively the scheduler alone tells states, and regions stand with the goroutine's thread")
    func native() throws {
        var recording = Recording.small
        recording.region(2500, .regionBegin, "pack", on: 18)
        recording.region(3000, .regionEnd, "pack", on: 18)
        let events = recording.events.sorted { $0.timeNanoseconds < $1.timeNanoseconds }
        let file = try PerfettoFile(writing: events, recording.tables, options: OutputOptions())
        #expect(file.defects == [])
        let all = try PerfettoFile(writing: events, recording.tables)
        #expect(all.slices.contains { $0.name == "running" })
        #expect(!file.slices.contains { ["running", "runnable"].contains($0.name) || $0.name.hasPrefix("waiting") })
        #expect(file.rows("G18 main.worker") == ["2500–3000 pack"])
        #expect(file.states(of: "G18 main.worker") == all.states(of: "G18 main.worker"))
        #expect(file.rows("Procs/P1") == [])
    }

    @Test("whoever asks for arrows sees the goroutines between which they lead")
    func arrows() throws {
        let recording = Recording.small
        var options = OutputOptions()
        options.flows = .creation
        let file = try PerfettoFile(writing: recording.events, recording.tables, options: options)
        #expect(file.instants("Goroutines/main.main/G1 main.main") == ["1000 creates"])
    }

    @Test("Chrome JSON leaves out threads and the arrows of wake-ups, and says so")
    func json() throws {
        let recording = Recording.small
        let file = try ChromeFile(writing: recording.events, recording.tables, options: OutputOptions())
        #expect(file.defects == [])
        #expect(!file.rowNames.values.contains { $0.hasPrefix("Threads/") })
        #expect(file.events("s").map { $0["name"] as? String } == ["creates"])
        let note = "\"left out (--views all shows it)\":"
        #expect(file.text.contains("\(note)\"threads, arrows of wake-ups\""))
        let all = try ChromeFile(writing: recording.events, recording.tables)
        #expect(all.rowNames.values.contains { $0.hasPrefix("Threads/") })
        #expect(!all.text.contains(note))
    }

    @Test("goroutines of one start function are a process, whose main thread is the first of them")
    func processes() throws {
        var recording = Recording()
        for id in [5, 6, 7] as [Int64] {
            let function = id == 6 ? "main.other" : "main.worker"
            recording.transition(id, id, .notExist, .runnable, own: recording.stack(function))
        }
        let file = try PerfettoFile(writing: recording.events, recording.tables, options: OutputOptions())
        #expect(file.defects == [])
        #expect(Set(file.processes.values) == ["main.worker", "main.other"])
        let process = { (name: String) in file.threads.first { $0.value == name }.flatMap { file.processOf[$0.key] } }
        #expect(process("G5 main.worker") == process("G7 main.worker"))
        #expect(process("G5 main.worker") == file.threads.first { $0.value == "G5 main.worker" }?.key)
        #expect(process("G6 main.other").flatMap { file.processes[$0] } == "main.other")
    }
}
