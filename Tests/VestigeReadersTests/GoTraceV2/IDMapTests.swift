import Testing
import VestigeTestSupport

@testable import VestigeReaders

@Suite struct IDMapTests {
    /// Ids in any order, some far beyond any array, in generations of very different sizes.
    @Test func holdsWhatADictionaryHolds() {
        var random = SeededRandom(seed: 3)
        var map = IDMap()
        for count in [10, 50_000, 3, 2000, 0, 1] {
            var expected: [UInt64: UInt32] = [:]
            var differences = 0
            for value in 0..<UInt32(count) {
                let isFar = random.next() % 20 == 0
                let id = isFar ? random.next() : 1 + random.next() % UInt64(count * 2)
                let isNew = expected[id] == nil
                if map.insert(id, value) != isNew { differences += 1 }
                if isNew { expected[id] = value }
            }
            for (id, value) in expected where map[id] != value { differences += 1 }
            for id in 1...UInt64(count * 2 + 2000) where map[id] != expected[id] ?? IDMap.missing { differences += 1 }
            map.removeAll()
            for id in expected.keys where map[id] != IDMap.missing { differences += 1 }
            #expect(differences == 0)
        }
    }

    @Test func stacksInTheOrderOfAHashTreeEndUpInTheArray() {
        var random = SeededRandom(seed: 4)
        var map = IDMap()
        for id in (1...UInt64(20_000)).shuffled(using: &random) { _ = map.insert(id, UInt32(id)) }
        let denseCount = map.denseCount
        #expect(denseCount > 20_000)
    }

    @Test func oneDamagedIDTakesNoRoom() {
        var map = IDMap()
        _ = map.insert(4_000_000, 1)
        let (denseCount, value) = (map.denseCount, map[4_000_000])
        #expect(denseCount == 1024)
        #expect(value == 1)
    }
}
