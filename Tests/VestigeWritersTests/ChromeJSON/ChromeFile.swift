import Foundation
import Testing
import Vestige

/// A Chrome trace JSON file as a viewer sees it.
struct ChromeFile {
    struct Slice {
        var row: Row
        var name: String
        var start: Int
        var end: Int
        var event: [String: Any]
        var arguments: [String: Any] { event["args"] as? [String: Any] ?? [:] }
    }

    struct Row: Hashable, Comparable {
        var pid: Int
        var tid: Int
        static func < (a: Row, b: Row) -> Bool { (a.pid, a.tid) < (b.pid, b.tid) }
    }

    let top: [String: Any]
    let events: [[String: Any]]
    let text: String

    init(_ bytes: [UInt8]) throws {
        text = String(decoding: bytes, as: UTF8.self)
        top = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        events = try #require(top["traceEvents"] as? [[String: Any]])
    }

    /// What the writer makes of these events, given in batches of `capacity`.
    init(
        writing events: [Event], _ tables: TraceTables, dialect: ChromeDialect = .catapult, capacity: Int = 8192,
        options: OutputOptions = .showingAll
    ) throws {
        try self.init(Self.bytes(writing: events, tables, dialect: dialect, capacity: capacity, options: options))
    }

    static func bytes(
        writing events: [Event], _ tables: TraceTables, dialect: ChromeDialect = .catapult, capacity: Int = 8192,
        options: OutputOptions = .showingAll
    ) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = ChromeJSONWriter(sink, dialect: dialect, options: options)
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: capacity) {
                let end = min(all.count, start + capacity)
                try writer.write(UnsafeBufferPointer(rebasing: all[start..<end]), tables: tables)
            }
        }
        try writer.finish(tables: tables)
        return sink.bytes
    }

    func events(_ phase: String) -> [[String: Any]] { events.filter { $0["ph"] as? String == phase } }

    /// Nanoseconds from the microseconds of a file.
    static func nanoseconds(_ value: Any?) -> Int { Int(((value as? Double ?? .nan) * 1000).rounded()) }

    static func row(_ event: [String: Any]) -> Row {
        Row(pid: event["pid"] as? Int ?? 0, tid: event["tid"] as? Int ?? 0)
    }

    var slices: [Slice] {
        events("X").map { event in
            let start = Self.nanoseconds(event["ts"])
            return Slice(
                row: Self.row(event), name: event["name"] as? String ?? "?", start: start,
                end: start + Self.nanoseconds(event["dur"]), event: event)
        }
    }

    /// `Process/row` of each row that has a name.
    var rowNames: [Row: String] {
        var processes: [Int: String] = [:]
        var names: [Row: String] = [:]
        for event in events("M") {
            let name = (event["args"] as? [String: Any])?["name"] as? String
            if event["name"] as? String == "process_name" { processes[event["pid"] as! Int] = name }
        }
        for event in events("M") where event["name"] as? String == "thread_name" {
            let name = (event["args"] as? [String: Any])?["name"] as? String
            names[Self.row(event)] = "\(processes[event["pid"] as! Int] ?? "?")/\(name ?? "?")"
        }
        return names
    }

    /// The slices of the row of this name, `start–end name`, in order.
    func rows(_ name: String) -> [String] {
        let rows = rowNames.filter { $0.value == name }.map(\.key)
        return slices.filter { rows.contains($0.row) }.sorted { ($0.start, -$0.end) < ($1.start, -$1.end) }
            .map { "\($0.start)–\($0.end) \($0.name)" }
    }

    func counter(_ name: String) -> [[String: Any]] {
        events("C").filter { $0["name"] as? String == name }.sorted {
            Self.nanoseconds($0["ts"]) < Self.nanoseconds($1["ts"])
        }
    }

    // MARK: - What viewers refuse

    /// Slices that overlap another of their row in part, events without a name for their row, arrows
    /// that lack an end or a slice, stacks that are not there, numbers out of range.
    var defects: [String] { overlaps + nameless + arrowDefects + stackDefects + rangeDefects }

    private var overlaps: [String] {
        var defects: [String] = []
        for (row, slices) in Dictionary(grouping: slices, by: \.row) {
            var open: [Slice] = []
            for slice in slices.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
                while let top = open.last, top.end <= slice.start { open.removeLast() }
                if let top = open.last, slice.end > top.end {
                    defects.append(
                        "\(row): \(slice.start)–\(slice.end) \(slice.name) overlaps \(top.start)–\(top.end) \(top.name)"
                    )
                }
                open.append(slice)
            }
        }
        return defects
    }

    private var nameless: [String] {
        let names = rowNames
        let rows = Set((events("X") + events("i")).map(Self.row))
        return rows.filter { names[$0] == nil }.map { "\($0) has no name" }
            + Set(names.keys).subtracting(rows).map { "\($0) has a name and nothing else" }
    }

    private var arrowDefects: [String] {
        let slices = Dictionary(grouping: slices, by: \.row)
        var begins: [Int: Int] = [:]
        var ends: Set<Int> = []
        var defects: [String] = []
        for event in events("s") + events("f") {
            let (id, time) = (event["id"] as? Int ?? -1, Self.nanoseconds(event["ts"]))
            if !(slices[Self.row(event)] ?? []).contains(where: { $0.start <= time && time <= $0.end }) {
                defects.append("arrow \(id) is in no slice")
            }
            if event["ph"] as? String == "s" {
                if begins.updateValue(time, forKey: id) != nil { defects.append("arrow \(id) begins twice") }
            } else {
                if !ends.insert(id).inserted { defects.append("arrow \(id) ends twice") }
                if begins[id].map({ $0 > time }) ?? true { defects.append("arrow \(id) ends before it begins") }
            }
        }
        return defects + Set(begins.keys).symmetricDifference(ends).map { "arrow \($0) has one end" }
    }

    private var stackDefects: [String] {
        let frames = top["stackFrames"] as? [String: [String: Any]] ?? [:]
        let used = Set(events.compactMap { $0["sf"] as? Int }.map(String.init))
        let parents = Set(frames.values.compactMap { $0["parent"] as? String })
        return used.union(parents).filter { frames[$0] == nil }.map { "stack \($0) is missing" }
            + Set(frames.keys).subtracting(used.union(parents)).map { "stack \($0) is not used" }
    }

    private var rangeDefects: [String] {
        events.compactMap { event in
            let (pid, tid) = (event["pid"] as? Int ?? 0, event["tid"] as? Int ?? 99)
            let isInRange = pid >= 1 && tid >= 1 && tid <= Int(UInt32.max) && tid != pid
            return isInRange && (event["ts"] == nil || Self.nanoseconds(event["ts"]) >= 0)
                && (event["dur"] == nil || Self.nanoseconds(event["dur"]) >= 0) ? nil : "out of range: \(event)"
        }
    }
}
