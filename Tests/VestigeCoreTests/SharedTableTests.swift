import Dispatch
import Synchronization
import Testing
import VestigeCore

/// One thread looks up what another has added, while that one goes on adding.
@Suite struct SharedTableTests {
    private static let count = 200_000

    @Test func whatHasBeenHandedOverIsFound() {
        nonisolated(unsafe) let tables = TraceTables()
        let handedOver = Atomic(0)
        let isDone = DispatchGroup()
        // The first id beside those that every table has.
        let (firstString, firstStack) = (tables.strings.count, tables.stacks.count)
        DispatchQueue.global().async(group: isDone) {
            for number in 0..<Self.count {
                let name = tables.strings.intern("name \(number)")
                let frame = Frame(programCounter: UInt64(number), function: name, file: .empty, line: 0)
                let caller = number % 10 == 0 ? StackID.absent : StackID(UInt32(firstStack + number - 1))
                _ = tables.stacks.intern(frame, caller: caller)
                handedOver.store(number + 1, ordering: .releasing)
            }
        }
        var wrongCount = 0
        var seen = 0
        while seen < Self.count {
            seen = handedOver.load(ordering: .acquiring)
            for number in stride(from: seen - 1, through: max(0, seen - 100), by: -1) {
                let name = StringID(UInt32(firstString + number))
                let node = tables.stacks.node(StackID(UInt32(firstStack + number)))
                if tables.strings.string(name) != "name \(number)" { wrongCount += 1 }
                if node.frame.function != name || node.depth != number % 10 + 1 { wrongCount += 1 }
            }
        }
        isDone.wait()
        #expect(wrongCount == 0)
        #expect(tables.strings.count == firstString + Self.count)
    }
}
