import VestigeCore

/// Finds goroutine dumps in text, line by line, and makes events of them: one `observed` for each goroutine,
/// one `log` for what the runtime says before them.
///
/// A dump may stand anywhere in a log; lines that belong to none are passed over. Where a logger has put
/// something around each line (a prefix, a JSON record), the line of the first goroutine tells what.
final class DumpParser {
    /// What has been found and not yet been taken by the reader.
    private(set) var events: [Event] = []
    private(set) var goroutineCount: UInt64 = 0
    private(set) var logCount: UInt64 = 0

    private enum Place {
        case outside, goroutine, profile
        /// In a report of the race detector, which has stacks of another form.
        case race
    }

    private var place = Place.outside
    private var goroutine: GoroutineBuilder
    private var profile: CountedProfile
    private var wrapping = LineWrapping()
    private var recent = RecentLines()
    private var report: [UInt8] = []
    private var dump: DumpNumbering
    private let tables: TraceTables
    private let diagnostics: Diagnostics
    private let source: UInt8

    init(_ context: ReaderContext) {
        tables = context.tables
        diagnostics = context.diagnostics
        source = context.source
        goroutine = GoroutineBuilder(tables)
        profile = CountedProfile(tables)
        dump = DumpNumbering(context)
    }

    var hasEvents: Bool { !events.isEmpty }

    func removeEvents() { events.removeAll(keepingCapacity: true) }

    /// Takes the next line of the input, without its end.
    /// - Parameter isWhole: it had an end.
    func take(_ line: DumpBytes, isWhole: Bool) {
        if JSONLogLine.isObject(line) {
            if wrapping.key == nil || place == .outside { findKey(line) }
            if let text = wrapping.text(in: line) { return takeText(text) }
            if wrapping.key != nil {
                // A record of another kind, between two of the dump's; or the end of a cut file.
                if !isWhole, place != .outside { diagnostics.count(.stacksCut) }
                return
            }
        }
        takeLine(line, isWhole: isWhole)
    }

    /// The text of one record: one line of a dump, or a dump with all its lines.
    private func takeText(_ text: [UInt8]) {
        text.withUnsafeBufferPointer { text in
            var start = 0
            while let end = text.first("\n", from: start) {
                takeLine(text.part(start..<end), isWhole: true)
                start = end + 1
            }
            let isSeveral = text.first("\n").map { $0 + 1 < text.count } ?? false
            if start < text.count || text.isEmpty { takeLine(text.from(start), isWhole: !isSeveral) }
            if isSeveral { leave() }
        }
    }

    /// The key of a record whose value holds the header of a goroutine or profile.
    private func findKey(_ line: DumpBytes) {
        guard line.find("goroutine") != nil else { return }
        JSONLogLine.forEachValue(line) { key, value in
            guard value.find("goroutine") != nil else { return false }
            var text: [UInt8] = []
            EscapedText.decode(value, into: &text)
            guard text.withUnsafeBufferPointer(DumpSearch.holdsHeader) else { return false }
            wrapping.begin(key: Array(key), record: line)
            return true
        }
    }

    private func takeLine(_ raw: DumpBytes, isWhole: Bool) {
        if place == .outside || place == .race { return takeOutside(raw.trimmedEnd) }
        guard let line = wrapping.unwrap(raw)?.trimmedEnd else {
            // Of another writer to the same log.
            if begin(raw.trimmedEnd) { return }
            return
        }
        if line.isEmpty {
            place == .goroutine ? finishGoroutine() : finishGroup()
            return
        }
        if place == .goroutine {
            takeInGoroutine(line, isWhole: isWhole)
        } else {
            takeInProfile(line, isWhole: isWhole)
        }
    }

    private func takeInGoroutine(_ line: DumpBytes, isWhole: Bool) {
        // No line of a stack ends in a colon, so that may be a header behind what a logger puts before it.
        if line[0] == UInt8(ascii: "g") || line.last == UInt8(ascii: ":"), begin(line) { return }
        goroutine.take(line, isWhole: isWhole)
        if goroutine.isOverlong { leave() }
    }

    private func takeInProfile(_ line: DumpBytes, isWhole: Bool) {
        if CountedProfile.group(line) != nil { finishGroup() }
        switch profile.take(line, isWhole: isWhole) {
        case .taken: break
        case .damaged: diagnostics.count(.stacksCut)
        case .foreign:
            // Of another writer to the same log, unless all that the profile states is there.
            if begin(line) { return }
            finishGroup()
            guard profile.listed >= profile.total else { return }
            leave()
            takeOutside(line)
        }
    }

    private func takeOutside(_ line: DumpBytes) {
        if begin(line) { return }
        if place == .race {
            report.append(contentsOf: line)
            if !line.begins(with: "======"), report.count < 64 << 10 { return report.append(0x0a) }
            report.removeLast(min(line.count + 1, report.count))
            return endReport(kind: "race")
        }
        if line.equals("WARNING: DATA RACE") {
            place = .race
            report = Array(line) + [0x0a]
            return recent.removeAll()
        }
        if dump.number > 0, Registers.isOne(line) {
            if report.count > 64 << 10 { endReport(kind: "registers") }
            if !report.isEmpty { report.append(0x0a) }
            return report.append(contentsOf: line)
        }
        if !report.isEmpty { endReport(kind: "registers") }
        if line.equals("-----") { dump.continues = true }
        recent.append(line)
    }

    // MARK: - Beginnings and ends

    /// Begins a goroutine or a profile if the line is the first of one, also behind a logger's prefix.
    private func begin(_ line: DumpBytes) -> Bool {
        guard let start = DumpSearch.header(in: line) else { return false }
        let prefix = line.part(0..<start)
        let header = line.from(start)
        let before = place
        if place != .outside { leave() }
        // In a stack the prefix has been taken off already.
        if before == .outside || before == .race || start > 0 { wrapping.begin(prefix: prefix) }
        if let head = GoroutineHeader(header) {
            dump.note(head.goroutine, wrapping.time)
            emitPreamble(of: head)
            goroutine.begin(head, timeNanoseconds: dump.timeNanoseconds, source: source)
            place = .goroutine
        } else if let head = CountedProfile.header(header) {
            dump.begin(wrapping.time)
            profile.begin(head)
            place = .profile
        }
        recent.removeAll()
        return true
    }

    /// What the runtime said before the dump: `panic: boom`.
    private func emitPreamble(of header: GoroutineHeader) {
        guard let (kind, text) = recent.preamble(wrapping.unwrapRecord) else { return }
        // A panic's own goroutine comes first, unless only others are shown.
        let isItsOwn = header.state == .running && kind != "signal"
        log(kind, text, goroutine: isItsOwn ? header.goroutine : .absent)
    }

    private func endReport(kind: String) {
        log(kind, report, goroutine: .absent)
        report = []
        if place == .race { place = .outside }
    }

    private func log(_ kind: String, _ text: [UInt8], goroutine: GoroutineID) {
        let message = text.withUnsafeBytes { tables.strings.intern($0) }
        events.append(
            Event(
                kind: .log, timeNanoseconds: dump.timeNanoseconds, goroutine: goroutine,
                name: tables.strings.intern(kind), argument1: UInt64(message.rawValue), source: source))
        logCount += 1
    }

    /// Ends what is being read, whatever it is.
    private func leave() {
        switch place {
        case .outside: break
        case .race: endReport(kind: "race")
        case .goroutine: finishGoroutine()
        case .profile:
            finishGroup()
            if profile.listed != profile.total { noteMissing() }
            place = .outside
        }
    }

    private func finishGoroutine() {
        let (event, losesFrames) = goroutine.finish(dumpNumber: dump.number)
        if losesFrames { diagnostics.count(.stacksCut) }
        events.append(event)
        goroutineCount += 1
        place = .outside
    }

    private func finishGroup() {
        guard let event = profile.finishGroup(timeNanoseconds: dump.timeNanoseconds, source: source) else { return }
        events.append(event)
        goroutineCount += event.observedCount
    }

    private func noteMissing() {
        if profile.listed < profile.total {
            diagnostics.count(.goroutinesMissing, profile.total - profile.listed)
        } else {
            diagnostics.record(
                TraceError(
                    .damaged, context: ["goroutine profile"], expected: "\(profile.total) goroutines, as it states",
                    found: "\(profile.listed)"))
        }
    }

    /// The input has ended; `lastLine` is its last line where that had no end.
    func finish(lastLine: DumpBytes?) {
        if let lastLine, DumpSearch.isCutHeader(lastLine.trimmed) { diagnostics.count(.stacksCut) }
        if place == .goroutine { goroutine.endsWithInput() }
        leave()
        if !report.isEmpty { endReport(kind: "registers") }
    }
}

/// Which dump of the input is being read, and when it was made.
struct DumpNumbering {
    /// From 1; 0 before the first.
    private(set) var number = 0
    private(set) var timeNanoseconds: Int64 = 0
    /// With GOTRACEBACK=crash the threads follow each other, each behind a line of dashes: one dump.
    var continues = false
    private var seen: Set<Int64> = []
    private var isTimed = false
    private let context: ReaderContext

    init(_ context: ReaderContext) { self.context = context }

    /// Notes a goroutine. One that was seen before begins a new dump.
    mutating func note(_ goroutine: GoroutineID, _ time: Int64?) {
        let isNew = seen.insert(goroutine.rawValue).inserted
        if number > 0, isNew || continues || goroutine.rawValue == 0 { return }
        begin(time)
        seen.insert(goroutine.rawValue)
    }

    mutating func begin(_ time: Int64?) {
        number += 1
        continues = false
        seen.removeAll()
        if number == 1, let time {
            isTimed = true
            context.tables.sources[Int(context.source)].clock = .wall
            timeNanoseconds = time
        } else if isTimed, let time {
            if time < timeNanoseconds { context.diagnostics.count(.timesClamped) }
            timeNanoseconds = max(timeNanoseconds, time)
        }
    }
}

/// Lines with the registers of a thread, `rax    0xca`, as they stand behind a dump after a signal.
enum Registers {
    static func isOne(_ line: DumpBytes) -> Bool {
        guard let blank = line.first(" "), blank > 1, blank <= 8 else { return false }
        return line.from(line.skipBlanks(from: blank)).hexadecimal != nil
    }
}
