import Testing
import VestigeCore

@testable import Vestige

/// Batches that are read on another thread arrive in order, once, and whatever ends either side ends both.
@Suite struct ReadAheadTests {
    /// Events with times that count up, in batches of different sizes, one of them empty.
    private final class Numbers: @unchecked Sendable {
        private var next: Int64 = 0
        let end: Int64
        private(set) var isRead = false
        var failsAtEnd = false

        init(to end: Int64) { self.end = end }

        func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
            let count = min(end - next, next % 7 * 100)
            for _ in 0..<count {
                batch.append(Event(kind: .sync, timeNanoseconds: next))
                next += 1
            }
            if count == 0 { next += 1 }
            guard next >= end else { return true }
            isRead = true
            if failsAtEnd { throw TraceError(.outputFailed, expected: "room", found: "none") }
            return false
        }
    }

    private func times(_ numbers: Numbers, while isWanted: (Int64) throws(TraceError) -> Bool) throws -> [Int64] {
        var times: [Int64] = []
        try ReadAhead().run(
            read: { batch throws(TraceError) in try numbers.read(into: &batch) }, bytesConsumed: { 0 }
        ) { events, _ throws(TraceError) in
            for event in events { times.append(event.timeNanoseconds) }
            return try isWanted(times.last ?? 0)
        }
        return times
    }

    @Test func everythingArrivesInOrder() throws {
        let numbers = Numbers(to: 100_000)
        let times = try times(numbers) { _ in true }
        #expect(times.count > 90_000 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(numbers.isRead)
    }

    @Test func whoHasEnoughEndsTheReading() throws {
        let numbers = Numbers(to: .max)
        let times = try times(numbers) { $0 < 5000 }
        #expect(times.last! >= 5000 && !numbers.isRead)
    }

    @Test func anErrorOfTheTakerEndsTheReading() {
        let numbers = Numbers(to: .max)
        #expect(throws: TraceError.self) {
            try self.times(numbers) { time throws(TraceError) in
                if time < 5000 { return true }
                throw TraceError(.outputFailed, expected: "room", found: "none")
            }
        }
        #expect(!numbers.isRead)
    }

    @Test func anErrorOfTheReaderReachesTheTaker() {
        let numbers = Numbers(to: 20_000)
        numbers.failsAtEnd = true
        #expect(throws: TraceError.self) { try self.times(numbers) { _ in true } }
    }
}
