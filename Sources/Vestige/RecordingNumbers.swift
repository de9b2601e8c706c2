import VestigeCore
import VestigeStages

/// What a recording comes to, by names that another recording has as well.
public struct RecordingNumbers {
    public enum Section: String, CaseIterable, Sendable {
        case recording, goroutines, waits, regions, tasks, ranges, metrics
    }

    public enum Unit: String, Sendable {
        case nanoseconds = "ns"
        case bytes
        case count = ""
    }

    /// What is counted.
    public struct Key: Hashable, Sendable {
        public var section: Section
        /// Start function, reason, or the name of a region, task, range or metric.
        public var name: String
        /// Where goroutines are created, where they wait; else empty.
        public var place: String

        public init(_ section: Section, _ name: String, _ place: String = "") {
            self.section = section
            self.name = name
            self.place = place
        }
    }

    public struct Value: Equatable, Sendable {
        public var count: UInt64 = 0
        /// Of the recording: its duration. Of goroutines: how long they ran. Of waits, regions, tasks and ranges:
        /// how long they took together. Of metrics: the greatest value.
        public var amount: Int64 = 0
        public var unit = Unit.nanoseconds

        public init(count: UInt64 = 0, amount: Int64 = 0, unit: Unit = .nanoseconds) {
            self.count = count
            self.amount = amount
            self.unit = unit
        }
    }

    public private(set) var values: [Key: Value] = [:]

    /// Reads a recording. System goroutines and their waits count only if `withSystem` is true.
    public static func read(
        _ analysis: Analysis, withSystem: Bool
    ) throws(TraceError) -> (numbers: RecordingNumbers, result: AnalysisResult) {
        let collection = Collection(withSystem: withSystem)
        let result = try analysis.run { batch throws(TraceError) in collection.add(batch) }
        return (collection.numbers(result), result)
    }

    fileprivate mutating func add(_ key: Key, _ value: Value) {
        var sum = values[key] ?? Value(unit: value.unit)
        sum.count &+= value.count
        sum.amount = sum.amount.addingSaturating(value.amount)
        values[key] = sum
    }

    /// Gathers the numbers while a recording is read.
    private final class Collection {
        private struct Site: Hashable {
            var function: StringID
            var stack: StackID
        }

        private let withSystem: Bool
        private var waits = WaitStatistics()
        private var regions = NameStatistics(.region)
        private var tasks = NameStatistics(.task)
        private var ranges = NameStatistics(.range)
        private var metrics = MetricStatistics()
        private var sites: [Site: Value] = [:]
        private var eventCount: UInt64 = 0

        init(withSystem: Bool) { self.withSystem = withSystem }

        func add(_ batch: Analysis.Batch) {
            eventCount &+= UInt64(batch.events.count)
            metrics.add(batch.events)
            for span in batch.spans {
                waits.add(span, batch.tables)
                guard span.kind != .goroutineState else { continue }
                regions.add(span)
                tasks.add(span)
                ranges.add(span)
            }
            for life in batch.lives where withSystem || !batch.tables.isSystemFunction(life.startFunction) {
                let site = Site(function: life.startFunction, stack: life.creationStack)
                var value = sites[site] ?? Value()
                value.count &+= 1
                value.amount = value.amount.addingSaturating(life.runningNanoseconds)
                sites[site] = value
            }
        }

        func numbers(_ result: AnalysisResult) -> RecordingNumbers {
            let tables = result.tables
            var numbers = RecordingNumbers()
            numbers.add(Key(.recording, "events"), Value(count: eventCount, amount: result.durationNanoseconds))
            for (site, value) in sites {
                let place = tables.text(of: tables.stacks.node(site.stack).frame)
                numbers.add(Key(.goroutines, tables.strings.string(site.function), place), value)
            }
            for wait in waits.rows where withSystem || !wait.isSystem {
                let key = Key(.waits, tables.strings.string(wait.reason), tables.text(of: wait.place))
                numbers.add(key, Value(count: wait.durations.count, amount: wait.durations.total))
            }
            numbers.add(regions.rows, .regions, tables)
            numbers.add(tasks.rows, .tasks, tables)
            numbers.add(ranges.rows, .ranges, tables)
            for metric in metrics.rows {
                let isBytes = tables.metricUnit(metric.name).elementsEqual("bytes".utf8)
                let value = Value(
                    count: metric.count, amount: Int64(clamping: metric.greatest), unit: isBytes ? .bytes : .count)
                numbers.add(Key(.metrics, tables.strings.string(metric.name)), value)
            }
            return numbers
        }
    }

    private mutating func add(_ rows: [NameStatistics.Row], _ section: Section, _ tables: TraceTables) {
        for row in rows {
            let key = Key(section, tables.strings.string(row.name))
            add(key, Value(count: row.durations.count, amount: row.durations.total))
        }
    }
}

/// One line of a comparison: what two recordings have of the same.
public struct RecordingChange: Sendable {
    public let key: RecordingNumbers.Key
    public let a: RecordingNumbers.Value
    public let b: RecordingNumbers.Value

    public var countDifference: Int64 { Int64(clamping: b.count) &- Int64(clamping: a.count) }
    public var amountDifference: Int64 { b.amount &- a.amount }
    public var unit: RecordingNumbers.Unit { key.section == .metrics && a.count == 0 ? b.unit : a.unit }

    public var isChange: Bool { countDifference != 0 || amountDifference != 0 }

    /// What two recordings have, section by section, the largest change of amount first; what is the same
    /// on both sides comes last.
    public static func between(_ a: RecordingNumbers, _ b: RecordingNumbers) -> [RecordingChange] {
        let none = RecordingNumbers.Value()
        let changes = Set(a.values.keys).union(b.values.keys).map { key in
            RecordingChange(key: key, a: a.values[key] ?? none, b: b.values[key] ?? none)
        }
        return changes.sorted { x, y in
            let (sectionX, sectionY) = (x.key.section.position, y.key.section.position)
            if sectionX != sectionY { return sectionX < sectionY }
            let (amountX, amountY) = (x.amountDifference.magnitude, y.amountDifference.magnitude)
            if amountX != amountY { return amountX > amountY }
            let (countX, countY) = (x.countDifference.magnitude, y.countDifference.magnitude)
            if countX != countY { return countX > countY }
            return (x.key.name, x.key.place) < (y.key.name, y.key.place)
        }
    }
}

extension RecordingNumbers.Section {
    fileprivate var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
