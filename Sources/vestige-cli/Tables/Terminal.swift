import Glibc
@preconcurrency import Rainbow

/// What standard output is.
struct Terminal {
    let isTerminal: Bool
    /// In characters; nil if it is no terminal.
    let width: Int?
    private let hasColour: Bool

    init() {
        isTerminal = isatty(1) == 1
        width = isTerminal ? Self.columns() : nil
        let isDumb = Self.variable("TERM") == "dumb"
        hasColour = isTerminal && !isDumb && (Self.variable("NO_COLOR") ?? "").isEmpty
    }

    /// A line in the colour of its kind; nil makes it bold.
    func coloured(_ line: String, _ emphasis: Emphasis?) -> String {
        guard hasColour else { return line }
        // The library asks the environment itself; what it finds must not differ from what was found here.
        Rainbow.outputTarget = .console
        Rainbow.enabled = true
        switch emphasis {
        case nil: return line.bold
        case .faint?: return line.dim
        case .running?: return line.green
        case .waiting?: return line.yellow
        case .ready?: return line.cyan
        case .inSystemCall?: return line.magenta
        case .some(.none): return line
        }
    }

    private static func columns() -> Int {
        if let text = variable("COLUMNS"), let columns = Int(text), columns > 0 { return columns }
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
