import VestigeCore

/// The line that every goroutine of a text dump begins with, in the forms of all Go versions
/// (`runtime/traceback.go`, `goroutineheader`):
///
///     goroutine 18 gp=0xc000007340 m=3 mp=0xc000051008 [chan receive (scan), 2 minutes, locked to thread]:
///
/// Labels stand as ` labels:{"k": "v"}` before the bracket closes (Go 1.26) or as ` {k: v}` behind it.
struct GoroutineHeader {
    var goroutine = GoroutineID.absent
    /// The state or wait reason, without what the flags say.
    var reason: DumpBytes
    var flags: ObservationDetail.Flags = []
    var minutes: Int64?
    var bubble: Int64?
    /// ` gp=0x… m=… mp=0x…`, or nothing.
    var pointers: DumpBytes
    /// The labels with their braces, or nothing.
    var labels: DumpBytes

    /// - Returns: nil if the line is anything else.
    @inline(__always) init?(_ line: DumpBytes) {
        guard line.begins(with: "goroutine ") else { return nil }
        var index = 10
        while index < line.count, line.isDigit(at: index) { index += 1 }
        guard line.ends(with: ":"), let number = line.part(10..<index).decimal,
            let bracket = Self.bracket(line, from: index)
        else { return nil }
        pointers = line.part(index..<bracket - 1)
        goroutine = GoroutineID(number)
        reason = line.part(0..<0)
        labels = reason
        guard parseBrackets(line, from: bracket + 1) else { return nil }
    }

    /// Where the bracket opens, behind a blank: at once, or behind the pointers.
    @inline(__always) private static func bracket(_ line: DumpBytes, from index: Int) -> Int? {
        if line.begins(with: " [", at: index) { return index + 1 }
        guard line.begins(with: " gp=0x", at: index) else { return nil }
        let near = line.part(index..<min(line.count, index + lengthLimit))
        return near.find(" [").map { index + $0 + 1 }
    }

    /// No state is nearly as long. Without a limit a line that holds many headers would be searched to its
    /// end for each.
    private static let lengthLimit = 256

    private mutating func parseBrackets(_ line: DumpBytes, from start: Int) -> Bool {
        let near = line.part(start..<min(line.count, start + Self.lengthLimit))
        let end = near.first("]")
        if let place = near.find(" labels:{"), place < end ?? near.count {
            labels = line.part(start + place + 8..<line.count - 1)
            guard labels.ends(with: "}]") else { return false }
            labels = labels.part(0..<labels.count - 1)
            return parse(near.part(0..<place))
        }
        guard let end else { return false }
        let close = start + end
        if close + 2 < line.count {
            labels = line.part(close + 2..<line.count - 1)
            guard line[close + 1] == 0x20, labels.begins(with: "{"), labels.ends(with: "}") else { return false }
        } else if close + 2 != line.count {
            return false
        }
        return parse(near.part(0..<end))
    }

    /// `chan receive (durable), 2 minutes, locked to thread, synctest bubble 1`.
    private mutating func parse(_ status: DumpBytes) -> Bool {
        var end = status.first(",") ?? status.count
        reason = status.part(0..<end)
        while end < status.count {
            let start = end + 1
            end = status.first(",", from: start) ?? status.count
            parse(addition: status.part(start..<end).trimmed)
        }
        while stripFlag(" (scan)", .scan) || stripFlag(" (leaked)", .leaked) || stripFlag(" (durable)", .durable) {}
        return !reason.isEmpty
    }

    private mutating func parse(addition: DumpBytes) {
        if addition.equals("locked to thread") {
            flags.insert(.locked)
        } else if addition.ends(with: " minutes") {
            minutes = addition.part(0..<addition.count - 8).decimal
        } else if addition.begins(with: "synctest bubble ") {
            bubble = addition.from(16).decimal
        }
    }

    @inline(__always)
    private mutating func stripFlag(_ suffix: StaticString, _ flag: ObservationDetail.Flags) -> Bool {
        guard reason.ends(with: suffix) else { return false }
        reason = reason.part(0..<reason.count - suffix.utf8CodeUnitCount)
        flags.insert(flag)
        return true
    }

    /// What the words of a header mean. Words that are no status of a goroutine (`gStatusStrings`) are the
    /// reason that it waits for, of which every Go version has its own.
    var state: GoroutineState {
        if reason.equals("running") || reason.equals("copystack") { return .running }
        if reason.equals("runnable") { return .runnable }
        if reason.equals("syscall") { return .syscall }
        // The scheduler's own goroutine 0 is "idle", whatever its thread does.
        if reason.equals("idle") || reason.equals("???") { return .undetermined }
        if reason.equals("dead") || reason.equals("waiting for cgo callback") { return .notExist }
        return .waiting
    }
}
