import Testing
import VestigeStages

@Suite struct DistributionTests {
    private func distribution(_ values: some Sequence<Int64>) -> Distribution {
        var distribution = Distribution()
        for value in values { distribution.add(value) }
        return distribution
    }

    @Test func nothingIsZero() {
        let none = Distribution()
        #expect(none.count == 0 && none.total == 0 && none.largest == 0 && none.percentile(50) == 0)
    }

    /// The nearest rank: the least value that enough of them do not exceed.
    @Test(arguments: [(50.0, Int64(50)), (90, 90), (99, 99), (100, 100), (0.5, 1), (1, 1), (1.5, 2)])
    func fewAreExact(_ percent: Double, _ expected: Int64) {
        #expect(distribution((1...100).reversed()).percentile(percent) == expected)
    }

    @Test(arguments: [Int64(1), 7, 1_000, 123_456_789, Int64.max / 2, .max])
    func oneValueIsAllPercentiles(_ value: Int64) {
        let one = distribution([value])
        #expect(one.percentile(50) == value && one.percentile(99) == value && one.largest == value)
        #expect(one.total == value)
    }

    /// Many are counted in classes: at most 1 % above, never below, and the maximum and the sum are exact.
    @Test func manyAreNearlyExact() {
        var state: UInt64 = 7
        let values = (0..<20_000).map { _ -> Int64 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> (20 + state % 40))
        }
        let many = distribution(values)
        let sorted = values.sorted()
        for percent in [1.0, 50, 90, 99, 99.9] {
            let exact = sorted[Int((percent * 20_000 / 100).rounded(.up)) - 1]
            let found = many.percentile(percent)
            #expect(found >= exact && Double(found) <= Double(exact) * 1.01 + 1, "\(percent): \(exact), \(found)")
        }
        #expect(many.largest == sorted.last && many.percentile(100) == sorted.last)
        #expect(many.count == 20_000 && many.total == values.reduce(0, +))
    }

    @Test func absurdDurationsDoNoHarm() {
        let absurd = distribution((0..<1000).map { $0 % 2 == 0 ? .max : -.max })
        #expect(absurd.total == .max && absurd.largest == .max && absurd.percentile(10) == 0)
        #expect(Double(absurd.percentile(99)) >= Double(Int64.max) * 0.98)
    }
}
