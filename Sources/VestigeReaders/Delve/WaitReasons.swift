import VestigeCore

/// Finds the right wait reason for what Delve gives: codes of the target's Go version in JSON, and in
/// text the words of a client that takes the wrong table for Go 1.20 to 1.25.
///
/// Which table applies is a set of hypotheses: pairs of the client's words and the target's table. What is
/// known of the versions, each word seen, and functions that park with a known reason strike out those
/// that cannot be. What is left decides, or leaves a doubt.
struct WaitReasons {
    /// What Delve gives for one goroutine.
    enum Given: Hashable {
        case code(Int64)
        case words(String)
    }

    /// A finding: nil where it is not known. `doubt` says in plain words what is uncertain.
    struct Finding {
        var reason: String?
        var doubt: String?
    }

    private typealias Client = WaitReasonTables.Client
    private static let tableCount = WaitReasonTables.tables.count

    /// Every reason of every version, once; a set of them is a mask of bits.
    static let names: [String] = {
        var names: [String] = []
        for name in WaitReasonTables.tables.joined() where !names.contains(name) { names.append(name) }
        precondition(names.count <= 64)
        return names
    }()
    static let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })

    static func mask(_ reasons: [String]) -> UInt64 { reasons.reduce(0) { $0 | numbers[$1].map { 1 << $0 }! } }

    /// Bit `client * tableCount + table` is set where that pair is possible.
    private var pairs: UInt32 = (1 << UInt32(Client.allCases.count * tableCount)) - 1
    private(set) var isVersionKnown = false
    /// What has been learnt and found: goroutines are many, kinds of them few.
    private var learnt: Set<Evidence> = []
    private var findings: [Evidence: Finding] = [:]

    private struct Evidence: Hashable {
        var given: Given
        var pin: WaitReasonPin?
    }

    /// Pairs that are met without `--check-go-version=false`; others only count when these are ruled out.
    private static let supported: UInt32 = {
        var pairs: UInt32 = 0
        for client in Client.allCases {
            for table in 0..<tableCount {
                let first = WaitReasonTables.firstMinor[table]
                let next = table + 1 < tableCount ? WaitReasonTables.firstMinor[table + 1] : 100
                if client.supportedMinors.overlaps(first...(next - 1)) { pairs |= bit(client, table) }
            }
        }
        return pairs
    }()

    private static func bit(_ client: Client, _ table: Int) -> UInt32 {
        1 << UInt32(client.rawValue * tableCount + table)
    }

    private var likelyPairs: UInt32 { pairs & Self.supported == 0 ? pairs : pairs & Self.supported }

    // MARK: - What is learnt

    /// The target's Go is 1.`minor`.
    mutating func learn(goMinor minor: Int) {
        let table = WaitReasonTables.index(minor: minor)
        isVersionKnown = true
        // What is certain takes the place of what was concluded.
        let columns = Client.allCases.reduce(0) { $0 | Self.bit($1, table) }
        pairs = pairs & columns == 0 ? columns : pairs & columns
        findings = [:]
    }

    /// The client is Delve 1.`minor`.
    mutating func learn(delveMinor minor: Int) {
        let client = Client(delveMinor: minor)
        keep(where: { $0 == client && $1 >= 0 })
    }

    /// A goroutine for which Delve gives this is parked with one of the reasons of `pin`.
    mutating func learn(_ given: Given, pin: WaitReasonPin?) {
        guard learnt.insert(Evidence(given: given, pin: pin)).inserted else { return }
        keep { client, table in
            !Self.isDisjoint(Self.reasons(given, client, table), pin?.reasons(table: table) ?? .max)
        }
    }

    private static func isDisjoint(_ a: UInt64, _ b: UInt64) -> Bool { a & b == 0 }

    /// Strikes out hypotheses; evidence that contradicts all of them is none.
    private mutating func keep(where isPossible: (Client, Int) -> Bool) {
        var kept: UInt32 = 0
        forEach(in: pairs) { client, table in
            if isPossible(client, table) { kept |= Self.bit(client, table) }
        }
        guard kept != 0, kept != pairs else { return }
        pairs = kept
        findings = [:]
    }

    private func forEach(in pairs: UInt32, _ body: (Client, Int) -> Void) {
        for client in Client.allCases {
            for table in 0..<Self.tableCount where pairs & Self.bit(client, table) != 0 { body(client, table) }
        }
    }

    // MARK: - What is found

    mutating func find(_ given: Given, pin: WaitReasonPin?) -> Finding {
        let evidence = Evidence(given: given, pin: pin)
        if let finding = findings[evidence] { return finding }
        let finding = makeFinding(given, pin)
        findings[evidence] = finding
        return finding
    }

    private func makeFinding(_ given: Given, _ pin: WaitReasonPin?) -> Finding {
        let pinned = candidates(given, pin: pin)
        let all = pinned == 0 ? candidates(given, pin: nil) : pinned
        if let only = Self.single(all) { return Finding(reason: only) }
        switch given {
        case .words(let words):
            if all == 0 { return Finding(reason: words, doubt: "the reason is in Delve's words; no Go version has it") }
            let others = Self.list(all, without: words)
            return Finding(
                reason: words,
                doubt: "the reason is in Delve's words and may be wrong: by the versions of Go and Delve, which are "
                    + "not known, it means \(others)")
        case .code(let code):
            if all == 0 { return Finding(doubt: "wait reason code \(code) is not known") }
            return Finding(
                doubt: "wait reason code \(code) means \(Self.list(all)), by the version of Go, which is not known")
        }
    }

    private func candidates(_ given: Given, pin: WaitReasonPin?) -> UInt64 {
        var all: UInt64 = 0
        forEach(in: likelyPairs) { client, table in
            all |= Self.reasons(given, client, table) & (pin?.reasons(table: table) ?? .max)
        }
        return all
    }

    private static func single(_ mask: UInt64) -> String? {
        mask.nonzeroBitCount == 1 ? names[mask.trailingZeroBitCount] : nil
    }

    private static func list(_ mask: UInt64, without words: String? = nil) -> String {
        let all = names.indices.filter { mask & 1 << $0 != 0 }.map { names[$0] }
        let first = words.map { all.contains($0) ? [$0] : [] } ?? []
        return (first + all.filter { $0 != words }).map { "\"\($0)\"" }.joined(separator: " or ")
    }

    /// What a pair makes of the given: a set of reasons, as the same words can stand for several codes.
    private static func reasons(_ given: Given, _ client: Client, _ table: Int) -> UInt64 {
        let reasons = WaitReasonTables.tables[table]
        switch given {
        case .code(let code):
            guard let index = Int(exactly: code), reasons.indices.contains(index) else { return 0 }
            return 1 << numbers[reasons[index]]!
        case .words(let text):
            let words = WaitReasonTables.words(of: client, table: table)
            if let code = Self.unknownCode(text) {
                guard !words.indices.contains(code) || Self.isGap(client, table, code) else { return 0 }
                return reasons.indices.contains(code) ? 1 << numbers[reasons[code]]! : 0
            }
            var mask: UInt64 = 0
            for index in words.indices where words[index] == text && reasons.indices.contains(index) {
                mask |= 1 << numbers[reasons[index]]!
            }
            return mask
        }
    }

    /// Codes that even the tables by version lack.
    private static func isGap(_ client: Client, _ table: Int, _ code: Int) -> Bool {
        client == .perVersion && (table == 3 && code == 37 || table == 4 && code == 43)
    }

    /// The code in `unknown wait reason 37`.
    private static func unknownCode(_ text: String) -> Int? {
        text.hasPrefix(unknownPrefix) ? Int(text.dropFirst(unknownPrefix.count)) : nil
    }
    static let unknownPrefix = "unknown wait reason "
}
