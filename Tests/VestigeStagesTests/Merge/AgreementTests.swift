import Testing
import Vestige
import VestigeTestSupport

struct AgreementTests {
    private let script: EventScript

    /// At 50: G1 runs, G2 waits, G3 has ended, G4 does not exist yet, G5 is the runtime's.
    init() {
        script = EventScript()
        script.go(1, .notExist, .running, at: 10, ownStack: ["main.main"])
        script.go(2, .notExist, .waiting, at: 20, "chan receive", by: 1, ownStack: ["runtime.gopark", "main.worker"])
        script.go(3, .notExist, .running, at: 30, by: 1, ownStack: ["main.short"])
        script.go(3, .running, .notExist, at: 40)
        script.go(5, .notExist, .waiting, at: 45, "system goroutine wait", ownStack: ["runtime.bgsweep"])
        script.go(4, .notExist, .running, at: 60, by: 1, ownStack: ["main.late"])
        script.go(6, .undetermined, .waiting, at: 70, "select", ownStack: ["main.old"])
    }

    private func differences(_ seen: [Event]) -> [Difference] {
        let snapshots = ObservedSnapshot.divide(seen, isDebugger: true, tables: script.tables)
        let collector = MomentStatesCollector([50], tables: script.tables)
        script.forEachBatch(of: 2) { collector.process($0) }
        return Agreement(of: snapshots[0], with: collector.finish()[0], tables: script.tables).differences
    }

    private func seen(
        _ goroutine: Int64, _ state: GoroutineState, _ reason: String = "", stack: [String] = []
    ) -> Event {
        Event(
            kind: .observed, timeNanoseconds: 0, goroutine: GoroutineID(goroutine), stack: script.stack(stack),
            name: script.string(reason), argument2: 1, detail: Event.pack(observed: state))
    }

    private var main: Event { seen(1, .running, stack: ["main.deep", "main.main"]) }
    private var worker: Event { seen(2, .waiting, "chan receive", stack: ["main.worker", "runtime.goexit"]) }

    @Test func whatIsTheSameIsNoDifference() {
        #expect(differences([main, worker]).isEmpty)
        // What the recording mentions later as older, and the runtime's own, may be missing there.
        #expect(differences([main, worker, seen(6, .waiting, "select", stack: ["main.old"])]).isEmpty)
        #expect(differences([main, worker, seen(9, .waiting, "", stack: ["runtime.bgscavenge"])]).isEmpty)
    }

    @Test func plantedDifferencesAreFound() {
        func subjects(_ seen: [Event]) -> [Difference.Subject] { differences(seen).map(\.subject) }
        #expect(subjects([main, seen(2, .runnable)]) == [.state])
        #expect(subjects([main, seen(2, .waiting, "IO wait")]) == [.reason])
        #expect(subjects([main, seen(2, .waiting, "chan receive", stack: ["main.other"])]) == [.stack])
        #expect(subjects([main, worker, seen(3, .waiting, stack: ["main.short"])]) == [.existence])
        #expect(subjects([main, worker, seen(4, .running, stack: ["main.late"])]) == [.existence])
        #expect(subjects([main, worker, seen(9, .running, stack: ["main.ghost"])]) == [.existence])
        #expect(subjects([main]) == [.existence])
    }

    @Test func whatIsSaidNamesBothSides() {
        let found = differences([main, seen(2, .waiting, "IO wait")])
        #expect(
            found == [
                Difference(
                    goroutine: GoroutineID(2), subject: .reason, recording: "waiting: chan receive",
                    observer: "waiting: IO wait")
            ])
    }

    /// A debugger stopped it after the tracer wrote that it waits, and before it did.
    @Test func withinTheTracerTheRecordingIsAhead() {
        let tracer = ["runtime.traceGoPark", "runtime.gopark", "main.worker"]
        #expect(differences([main, seen(2, .running, stack: tracer)]).isEmpty)
        #expect(!differences([main, seen(2, .running, stack: ["main.worker"])]).isEmpty)
    }
}
