import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Recordings of one run by three tools: every dump and snapshot is found in its phase, and agrees.
@Suite struct ThreeToolsTests {
    private struct Truth: Decodable {
        struct Anchor: Decodable {
            var trace_time: Int64
        }
        var anchors: [String: Anchor]
    }

    @Test(arguments: Corpus.threeToolFolders)
    func everySnapshotIsFoundInItsPhase(_ set: String) throws {
        let truth = try JSONDecoder().decode(
            Truth.self, from: Data(contentsOf: URL(fileURLWithPath: set + "/alignment.json")))
        var count = 0
        for phase in ["A", "B", "C"] {
            guard let dumps = truth.anchors["\(phase)-dumps"]?.trace_time,
                let halt = truth.anchors["\(phase)-snapshot"]?.trace_time,
                let resumed = truth.anchors["\(phase)-resumed"]?.trace_time
            else { continue }
            for form in ["debug0.pb.gz", "debug1.txt", "debug2.txt"] {
                try check("dumps/goroutine.\(phase).\(form)", of: set, in: dumps...halt)
                count += 1
                let leaks = "dumps/goroutineleak.\(phase).\(form)"
                guard FileManager.default.fileExists(atPath: "\(set)/\(leaks)") else { continue }
                try check(leaks, of: set, in: dumps...halt, atLeast: 5)
                count += 1
            }
            let number = ["A": "01", "B": "02", "C": "03"][phase]!
            let listing = "rpc/\(number)-phase-\(phase)/list-goroutines.response.json"
            guard FileManager.default.fileExists(atPath: "\(set)/\(listing)") else { continue }
            try check(listing, of: set, in: halt...resumed)
            count += 1
        }
        #expect(count >= 6)
    }

    /// What Delve's client printed while the debugger held the program, also of a few goroutines or in groups.
    @Test(arguments: Corpus.threeToolFolders)
    func everyListingIsFoundInItsPhase(_ set: String) throws {
        let truth = try JSONDecoder().decode(
            Truth.self, from: Data(contentsOf: URL(fileURLWithPath: set + "/alignment.json")))
        var count = 0
        for phase in ["A", "B", "C"] {
            guard let halt = truth.anchors["\(phase)-snapshot"]?.trace_time,
                let resumed = truth.anchors["\(phase)-resumed"]?.trace_time
            else { continue }
            let folder = "cli/phase-\(phase)"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(set)/\(folder)")) ?? []
            // Without goroutines: nothing was selected, or the option was not known.
            let empty = ["goroutines-with-none.txt", "goroutines-chan-jobs.txt"]
            for name in names where name.hasPrefix("goroutines") && !empty.contains(name) {
                try check("\(folder)/\(name)", of: set, in: halt...resumed, atLeast: 1)
                count += 1
            }
        }
        #expect(count >= 3)
    }

    /// Breakpoints on the birth and death of goroutines stand where the recording has these.
    @Test(
        arguments: Corpus.threeToolFolders.filter {
            FileManager.default.fileExists(atPath: $0 + "/lifecycle/rpc-lifecycle.trace.out")
        })
    func birthsAndDeathsAreThoseOfTheRecording(_ set: String) throws {
        let (trace, log) = ("\(set)/lifecycle/rpc-lifecycle.trace.out", "\(set)/lifecycle/rpc-lifecycle.jsonl")
        let result = try SnapshotAgreement.check([trace, log])
        #expect(result.agreements.count == 1)
        #expect(result.agreements.first?.alignment.method == .lifecycle)
        #expect(result.agreements.first?.agreement.differences.isEmpty == true)
        #expect(result.agreements.first?.agreement.comparedCount ?? 0 >= 12)
        let input = try InputSet([trace, log])
        var births: [Int64: Int64] = [:]
        var deaths: [Int64: Int64] = [:]
        var counts = (born: 0, died: 0)
        try input.readAll { events in
            for event in events {
                if event.kind == .goroutineTransition, event.fromGoroutineState == .notExist {
                    #expect(births.updateValue(event.timeNanoseconds, forKey: event.subjectGoroutine.rawValue) == nil)
                } else if event.kind == .goroutineTransition, event.toGoroutineState == .notExist {
                    #expect(deaths.updateValue(event.timeNanoseconds, forKey: event.subjectGoroutine.rawValue) == nil)
                } else if event.kind == .breakpoint {
                    let values = input.tables.observations.attributes(event.breakpointAttributes)
                    let value = { (name: String) in
                        values.first { input.tables.strings.string($0.name) == name }.map {
                            input.tables.strings.string($0.value)
                        }
                    }
                    if value("breakpoint.kind") == "return", let id = value("newg.goid").flatMap({ Int64($0) }),
                        births[id] == event.timeNanoseconds
                    {
                        counts.born += 1
                    }
                    if value("breakpoint.function") == "runtime.goexit1" { counts.died += 1 }
                }
            }
        }
        #expect(counts.born >= 5)
        #expect(counts.died >= 5)
    }

    private func check(_ file: String, of set: String, in phase: ClosedRange<Int64>, atLeast: Int = 50) throws {
        let result = try SnapshotAgreement.check(["\(set)/trace.out", "\(set)/\(file)"])
        for snapshot in result.agreements {
            #expect(phase.contains(snapshot.alignment.timeNanoseconds), "\(file)")
            #expect(snapshot.agreement.differences.isEmpty, "\(file)")
            #expect(snapshot.agreement.comparedCount >= atLeast, "\(file)")
        }
        #expect(result.agreements.count == 1)
    }
}
