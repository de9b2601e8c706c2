import Vestige

/// What the process says to whoever started it.
enum ExitStatus: Int32 {
    case done = 0
    /// A check has found something.
    case findings = 1
    case usage = 2
    case unreadable = 3
    /// Only with `--strict`.
    case loss = 4
    case outputFailed = 5
    /// Where an interruption is not the end at once: something had to be put right first.
    case interrupted = 130

    init(_ error: TraceError) {
        switch error.code {
        case .unreadable, .damaged, .truncated: self = .unreadable
        case .usage: self = .usage
        case .outputFailed: self = .outputFailed
        case .outputClosed: self = .done
        }
    }

    static let help = """
        EXIT CODES
          0    done, also if nothing was selected (losses are warned of)
          1    something was found: differences, broken rules, ghosts
          2    the request makes no sense, or the output exists and -f was not given
          3    the input cannot be read
          4    done, but something was lost; only with --strict
          5    the output cannot be written
          130  interrupted (Ctrl-C); nothing is left behind
        """
}
