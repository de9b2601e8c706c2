import Testing
import VestigeCore

@Suite struct PagedTableTests {
    struct Element: PagedElement, Equatable {
        var id: Int64
        var value: Int64 = 0
        static let vacant = Element(id: .min)
        var isOccupied: Bool { id != .min }
    }

    /// Whatever the ids, it behaves like a dictionary.
    @Test(arguments: [1, 3, 512, 700, 1 << 20, 1 << 40] as [Int64]) func agreesWithADictionary(_ spacing: Int64) {
        var table = PagedTable<Element>()
        var dictionary: [Int64: Int64] = [:]
        var state: UInt64 = 88
        for round in Int64(0)..<30_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let id = Int64(state >> 40 % 8_000) &* spacing
            if let known = table.find(id) {
                #expect(dictionary[id] == known.pointee.value)
                if state >> 33 & 1 == 0 {
                    table.remove(id)
                    dictionary[id] = nil
                } else {
                    known.pointee.value = round
                    dictionary[id] = round
                }
            } else {
                #expect(dictionary[id] == nil)
                table.insert(id, Element(id: id, value: round))
                dictionary[id] = round
            }
        }
        #expect(table.count == dictionary.count)
        var seen: [Int64: Int64] = [:]
        table.forEach { seen[$0] = $1.pointee.value }
        #expect(seen == dictionary)
    }

    @Test func extremeIdsAreKept() {
        var table = PagedTable<Element>()
        for id in [0, -1, .max, .min + 1] as [Int64] {
            table.insert(id, Element(id: id))
            #expect(table.find(id)?.pointee.id == id)
        }
        #expect(table.count == 4)
    }

    /// Ids 512 apart, as only a hostile file has them, must not cost a page each.
    @Test func sparseIdsCostLittle() {
        var table = PagedTable<Element>()
        for id in Int64(0)..<200_000 { table.insert(id * 512, Element(id: id)) }
        #expect(table.pagesInUse < 2_000)
        #expect(table.find(512 * 199_999)?.pointee.id == 199_999)
    }
}
