import VestigeCore

/// What a rule looks at, as far as a span tells it: conditions of its scope, names, places, whose goroutine it is.
struct RuleFilter {
    private let subject: CheckSubject?
    private let includesSystem: Bool
    private var systems = SystemGoroutines()
    private var names: NameMasks
    private var places: StackGlobs
    private var conditions: SpanConditions?

    /// - Parameter isSelected: what comes has been selected by the rule's scope already.
    init(_ rule: CheckRule, _ subject: CheckSubject?, isSelected: Bool) {
        self.subject = subject
        // Tasks, regions and ranges are what somebody has named.
        let isNamed = [.region, .task, .range].contains(subject)
        includesSystem = rule.includesSystem || isNamed
        names = NameMasks(rule.names)
        places = StackGlobs(rule.places)
        conditions = isSelected || rule.scope.isEmpty ? nil : SpanConditions(rule.scope.expression)
    }

    @inline(__always)
    mutating func accepts(_ span: UnsafePointer<LifelineSpan>, lasting duration: Int64, _ tables: TraceTables) -> Bool {
        accepts(
            span.pointee.goroutine, span.pointee.startFunction, span.pointee.state, span.pointee.name,
            span.pointee.startStack, span.pointee.source, lasting: duration, tables)
    }

    @inline(__always)
    mutating func accepts(
        _ goroutine: GoroutineID, _ function: StringID, _ state: GoroutineState, _ name: StringID, _ stack: StackID,
        _ source: UInt8, lasting duration: Int64, _ tables: TraceTables
    ) -> Bool {
        if !includesSystem, systems.contains(function, source, tables) { return false }
        if !names.isEmpty, names.mask(of: name, tables) == 0 { return false }
        if conditions != nil, !conditions!.hold(goroutine, function, state, name, lasting: duration, tables) {
            return false
        }
        return places.isEmpty || places.contains(stack, tables)
    }

    /// The same for the life of a goroutine.
    mutating func accepts(_ life: GoroutineLife, lasting duration: Int64, _ tables: TraceTables) -> Bool {
        accepts(
            life.goroutine, life.startFunction, .undetermined, .empty, life.creationStack, life.source,
            lasting: duration, tables)
    }
}

/// Whether goroutines belong to Go's runtime, or to the package that writes the recording. One whose start function no
/// event of a Go trace tells counts as such: the program's own are seen with a stack. Whoever writes events by hand
/// need not write stacks.
struct SystemGoroutines {
    private var functions = SystemFunctions()
    private var tracers = NameMasks([Glob("runtime/trace.*")])
    /// By source: 0 not asked yet, 1 no, 2 a Go trace.
    private var goTraces: [UInt8] = Array(repeating: 0, count: 256)

    @inline(__always) mutating func contains(_ function: StringID, _ source: UInt8, _ tables: TraceTables) -> Bool {
        if function != .empty {
            return functions.contains(function, tables) || tracers.mask(of: function, tables) != 0
        }
        if goTraces[Int(source)] == 0 { ask(source, tables) }
        return goTraces[Int(source)] == 2
    }

    private mutating func ask(_ source: UInt8, _ tables: TraceTables) {
        let index = Int(source)
        let isGoTrace = index < tables.sources.count && tables.sources[index].format.hasPrefix("gotrace")
        goTraces[index] = isGoTrace ? 2 : 1
    }
}

/// The conditions of an expression that a span answers alone.
private struct SpanConditions {
    private var program: QueryProgram
    private var functions: NameMasks
    private var reasons: NameMasks
    private let goroutines: [(bit: UInt64, ranges: [ClosedRange<Int64>])]
    private let states: [UInt64]
    private let durations: [(bit: UInt64, nanoseconds: Int64)]

    init(_ expression: QueryExpression) {
        let program = QueryProgram(expression)
        self.program = program
        functions = NameMasks(program) { if case .function(let globs) = $0 { globs } else { nil } }
        reasons = NameMasks(program) { if case .reason(let globs, _) = $0 { globs } else { nil } }
        states = GoroutineState.allCases.map { state in
            program.mask { if case .state(let states, _) = $0 { states.contains(state) } else { false } }
        }
        let numbered = program.conditions.enumerated().map { (bit: UInt64(1) << UInt64($0), condition: $1) }
        goroutines = numbered.compactMap {
            if case .goroutine(let ranges) = $0.condition { ($0.bit, ranges) } else { nil }
        }
        durations = numbered.filter { $0.condition.leastDuration > 0 }.map { ($0.bit, $0.condition.leastDuration) }
    }

    mutating func hold(
        _ goroutine: GoroutineID, _ function: StringID, _ state: GoroutineState, _ reason: StringID,
        lasting duration: Int64, _ tables: TraceTables
    ) -> Bool {
        var mask = states[Int(state.rawValue)]
        if !functions.isEmpty { mask |= functions.mask(of: function, tables) }
        if !reasons.isEmpty { mask |= reasons.mask(of: reason, tables) }
        for (bit, ranges) in goroutines where ranges.contains(where: { $0.contains(goroutine.rawValue) }) {
            mask |= bit
        }
        for (bit, least) in durations where duration < least { mask &= ~bit }
        return program.holds(mask)
    }
}

/// Which stacks have a function that fits one of the patterns, asked once for each stack. A method's receiver may
/// be written without the parentheses and the star of Go's symbols: `sync.Mutex.Lock` is `sync.(*Mutex).Lock`.
struct StackGlobs {
    private let globs: [Glob]
    /// By stack: 0 not asked yet, 1 no, 2 yes.
    private var answers: [UInt8] = []
    var isEmpty: Bool { globs.isEmpty }

    init(_ globs: [Glob]) { self.globs = globs }

    mutating func contains(_ stack: StackID, _ tables: TraceTables) -> Bool {
        let index = Int(stack.rawValue)
        if index < answers.count, answers[index] > 0 { return answers[index] == 2 }
        guard stack != .absent, index < tables.stacks.count else { return false }
        if answers.count < tables.stacks.count {
            answers.append(contentsOf: repeatElement(0, count: tables.stacks.count - answers.count))
        }
        let isFound = tables.stacks.frames(stack).contains { frame in
            let bytes = tables.strings.bytes(frame.function)
            if globs.contains(where: { $0.matches(bytes) }) { return true }
            guard bytes.contains(UInt8(ascii: "*")) else { return false }
            let plain = tables.strings.string(frame.function).withoutReceiverMarks
            return globs.contains { $0.matches(plain) }
        }
        answers[index] = isFound ? 2 : 1
        return isFound
    }
}

extension String {
    /// `sync.(*Mutex).Lock` as `sync.Mutex.Lock`.
    fileprivate var withoutReceiverMarks: String {
        var (result, isReceiver) = ("", false)
        var rest = self[...]
        while let character = rest.first {
            if rest.hasPrefix("(*") {
                rest = rest.dropFirst(2)
                isReceiver = true
                continue
            }
            rest = rest.dropFirst()
            if character == ")", isReceiver { isReceiver = false } else { result.append(character) }
        }
        return result
    }
}
