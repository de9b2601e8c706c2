import Glibc
import Vestige

/// How far reading has come, on standard error while that is a terminal and it takes longer than a
/// second; gone when it is done.
final class ProgressBar {
    /// There is one terminal, so one bar is shown at a time.
    nonisolated(unsafe) private static var isShown = false

    /// A bar, or nil where none is wanted: `isWanted` is false, no terminal, or one without control codes.
    init?(isWanted: Bool) {
        guard isWanted, isatty(2) == 1, getenv("TERM").map({ String(cString: $0) }) != "dumb" else { return nil }
    }

    deinit { clear() }

    func show(_ progress: Progress) { show(progress, note: "") }

    /// - Parameter note: what else is to be said of the work.
    func show(_ progress: Progress, note: String) {
        guard progress.elapsed >= .seconds(1) else { return }
        Self.isShown = true
        write("\r\(Self.line(progress))\(note.isEmpty ? "" : "  \(note)")\u{1b}[K")
    }

    func clear() {
        Self.clearInHandler()
        Self.isShown = false
    }

    /// Leaves the cursor on an empty line; may be called from a signal handler once it has been
    /// called outside of one.
    static func clearInHandler() {
        let clearing: StaticString = "\r\u{1b}[K"
        if isShown { _ = Glibc.write(2, clearing.utf8Start, clearing.utf8CodeUnitCount) }
    }

    static func line(_ progress: Progress) -> String {
        let seconds = Units.seconds(progress.elapsed)
        let rate = Double(progress.bytesConsumed) / seconds
        let speed = "\(Units.bytes(UInt64(max(0, rate))))/s"
        guard let total = progress.byteCount, total > 0 else {
            return "\(Units.bytes(progress.bytesConsumed)) read, \(speed)"
        }
        let share = min(1, Double(progress.bytesConsumed) / Double(total))
        let filled = Int(share * 30)
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 30 - filled)
        let left = rate > 0 ? Double(total) * (1 - share) / rate : 0
        return "[\(bar)] \(Int(share * 100)) %  \(speed)  \(Units.clock(.seconds(Int64(min(left, 1e9))))) left"
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
