import VestigeCore

/// No place creates goroutines of which more and more are alive: of the numbers of living ones in each quarter of the
/// recording, not every one is greater than the one before.
final class GrowthRule: RuleEvaluator {
    private struct Record: PagedElement {
        var isOccupied = false
        var site: UInt32 = 0
        /// The event that created it.
        var creation = Event(kind: .goroutineTransition, timeNanoseconds: 0)

        static var vacant: Record { Record() }
    }

    private struct Site {
        var stack: StackID
        var curve = SiteCurve()
    }

    private struct SiteKey: Hashable {
        var place: UInt32
        var function: StringID
    }

    static let partCount = 4
    private static let shownCount = 6

    private let limit: CheckLimit
    private let exampleLimit: Int
    private let records = HeapBox(PagedTable<Record>())
    private var filter: RuleFilter
    private var places = Places()
    private var sites: [Site] = []
    private var numbers: [SiteKey: UInt32] = [:]
    private var finding: CheckFinding
    private var firstNanoseconds: Int64 = 0

    init(_ rule: CheckRule, _ limit: CheckLimit, _ exampleLimit: Int, _ isSelected: Bool) {
        self.limit = limit
        self.exampleLimit = exampleLimit
        filter = RuleFilter(rule, .goroutine, isSelected: isSelected)
        finding = CheckFinding(rule)
    }

    func process(_ batch: CheckBatch) {
        firstNanoseconds = batch.firstNanoseconds
        for index in 0..<batch.events.count {
            let event = batch.events.baseAddress! + index
            guard event.pointee.kind == .goroutineTransition else { continue }
            if event.pointee.fromGoroutineState == .notExist {
                if event.pointee.toGoroutineState != .notExist { create(event.pointee, batch.tables) }
            } else if event.pointee.toGoroutineState == .notExist {
                end(event.pointee.subjectGoroutine.rawValue, at: event.pointee.timeNanoseconds)
            }
        }
    }

    private func create(_ event: Event, _ tables: TraceTables) {
        let id = event.subjectGoroutine.rawValue
        let function = tables.stacks.rootFrame(event.transitionStack)?.function ?? .empty
        guard
            filter.accepts(
                event.subjectGoroutine, function, .undetermined, .empty, event.stack, event.source, lasting: 0, tables)
        else { return }
        // The number is used again, and the end of its last goroutine is lost.
        end(id, at: event.timeNanoseconds)
        finding.lookedAt &+= 1
        let key = SiteKey(place: places.number(of: event.stack, tables), function: function)
        let site = numbers[key] ?? add(key, event.stack)
        records.pointer.pointee.insert(id, Record(isOccupied: true, site: site, creation: event))
        sites[Int(site)].curve.change(by: 1, at: event.timeNanoseconds.subtractingClamped(firstNanoseconds))
    }

    private func add(_ key: SiteKey, _ stack: StackID) -> UInt32 {
        let number = UInt32(truncatingIfNeeded: sites.count)
        sites.append(Site(stack: stack))
        numbers[key] = number
        return number
    }

    private func end(_ id: Int64, at time: Int64) {
        guard let record = records.pointer.pointee.find(id) else { return }
        sites[Int(record.pointee.site)].curve.change(by: -1, at: time.subtractingClamped(firstNanoseconds))
        records.pointer.pointee.remove(id)
    }

    func finish(_ batch: CheckBatch) -> CheckFinding {
        let end = batch.lastNanoseconds.subtractingClamped(firstNanoseconds)
        for index in sites.indices {
            let parts = sites[index].curve.parts(Self.partCount, until: end)
            let growth = Int64(clamping: parts[Self.partCount - 1]) - Int64(clamping: parts[0])
            finding.value = max(finding.value ?? 0, growth)
            let isGrowing = zip(parts, parts.dropFirst()).allSatisfy { $0 < $1 }
            guard isGrowing, limit.isBroken(by: growth) else { continue }
            finding.add(growth, limit: exampleLimit) {
                example(UInt32(index), growth, until: batch.lastNanoseconds)
            }
        }
        return finding
    }

    /// The goroutines of a site that are alive: the first and the last ones.
    private func example(_ site: UInt32, _ growth: Int64, until time: Int64) -> CounterExample {
        var living: [Event] = []
        records.pointer.pointee.forEach { _, record in
            if record.pointee.site == site { living.append(record.pointee.creation) }
        }
        living.sort { $0.timeNanoseconds < $1.timeNanoseconds }
        let half = Self.shownCount / 2
        let shown = living.count <= Self.shownCount ? living[...] : living.prefix(half) + living.suffix(half)
        var example = CounterExample(
            from: living.first?.timeNanoseconds ?? time, to: time, value: growth,
            goroutines: living.map(\.subjectGoroutine), shown.map { CheckEvidence(.begins, $0) })
        example.unshownCount = UInt64(living.count - shown.count)
        example.stack = sites[Int(site)].stack
        return example
    }
}
