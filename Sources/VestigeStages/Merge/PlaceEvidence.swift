import VestigeCore

/// Whether a snapshot and a recording are of one program: states of goroutines may agree by chance, lines of its
/// code hardly do.
public struct PlaceEvidence: Equatable, Sendable {
    /// Goroutines that the recording has, at some time, in the state and at the lines of the program's own code
    /// where the observer saw them.
    public var agreeing = 0
    /// The same where `main.main` is all there is of such code: every program has it, and often at the same lines.
    public var inMainOnly = 0
    /// Goroutines that the recording has in that state, and never at these lines.
    public var differing = 0

    public init() {}

    /// True if they contradict each other, or nothing but chance makes them agree.
    public var speaksAgainst: Bool {
        differing > agreeing + inMainOnly || agreeing == 0 && differing > 0
    }

    public var speaksFor: Bool { agreeing + inMainOnly > 0 && !speaksAgainst }

    /// True if there was nothing to compare.
    public var isEmpty: Bool { agreeing + inMainOnly + differing == 0 }
}

/// How the places of two stacks stand to each other.
enum PlaceComparison: UInt8, Comparable {
    /// One of them has none outside the runtime.
    case unknown = 0
    case differing = 1
    /// They agree, and nothing in them is of the program alone.
    case inLibrary = 2
    case inMain = 3
    case agreeing = 4

    static func < (a: PlaceComparison, b: PlaceComparison) -> Bool { a.rawValue < b.rawValue }

    /// How the lines stand to each other at which a goroutine waits, as two tools say.
    init(waiting one: StackID, _ other: StackID, _ tables: TraceTables) {
        let (a, b) = (Self.places(one, tables), Self.places(other, tables))
        if a.isEmpty || b.isEmpty {
            self = .unknown
        } else if Self.isSubsequence(a, of: b) || Self.isSubsequence(b, of: a) {
            self = (a.count < b.count ? a : b).map(\.kind).max() ?? .unknown
        } else {
            self = .differing
        }
    }

    /// The same of where it was created. Programs differ in what they create where, also in `main.main`.
    init(creation one: StackID, _ other: StackID, _ tables: TraceTables) {
        self.init(waiting: one, other, tables)
        if self == .inMain { self = .agreeing }
    }

    /// The same of a goroutine that runs: it has been, and will be, in functions of the files in which it is seen.
    /// That it is in others says nothing.
    init(running one: StackID, _ other: StackID, _ tables: TraceTables) {
        let others = Self.places(other, tables)
        let shared = Self.places(one, tables).filter { place in
            others.contains { $0.function == place.function && $0.file == place.file }
        }
        self = shared.lazy.map(\.kind).filter { $0 > .inLibrary }.max() ?? .unknown
    }

    private struct Place: Equatable {
        var function: [UInt8]
        var file: StringID
        var line: UInt64
        var kind: PlaceComparison

        static func == (a: Place, b: Place) -> Bool { a.line == b.line && a.function == b.function }
    }

    private static func places(_ stack: StackID, _ tables: TraceTables) -> [Place] {
        tables.stacks.frames(stack).compactMap { frame in
            let bytes = tables.strings.bytes(frame.function)
            let name = StackComparison.plainName(bytes)
            if name.isEmpty || StackComparison.isRuntime(name) || name.elementsEqual("runtime.main".utf8) { return nil }
            let kind: PlaceComparison =
                GoLibrary.contains(bytes) ? .inLibrary : name.elementsEqual("main.main".utf8) ? .inMain : .agreeing
            return Place(function: name, file: frame.file, line: frame.line, kind: kind)
        }
    }

    private static func isSubsequence(_ part: [Place], of whole: [Place]) -> Bool {
        var rest = whole[...]
        for place in part {
            guard let index = rest.firstIndex(of: place) else { return false }
            rest = rest[(index + 1)...]
        }
        return true
    }
}

/// The comparisons of places that have been made already: goroutines come to the same places again and again.
struct PlaceComparisons {
    enum Subject: UInt8 { case waiting, running, creation }

    private struct Pair: Hashable {
        var traced: StackID
        var observed: StackID
        var subject: Subject
    }
    private var known: [Pair: PlaceComparison] = [:]
    /// A recording may have any number of stacks.
    private static let limit = 1 << 16

    mutating func compare(
        _ subject: Subject, _ traced: StackID, _ observed: StackID, _ tables: TraceTables
    ) -> PlaceComparison {
        if traced == .absent || observed == .absent { return .unknown }
        let pair = Pair(traced: traced, observed: observed, subject: subject)
        if let result = known[pair] { return result }
        if known.count >= Self.limit { known.removeAll() }
        let result =
            switch subject {
            case .waiting: PlaceComparison(waiting: traced, observed, tables)
            case .running: PlaceComparison(running: traced, observed, tables)
            case .creation: PlaceComparison(creation: traced, observed, tables)
            }
        known[pair] = result
        return result
    }
}
