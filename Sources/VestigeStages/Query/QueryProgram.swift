import VestigeCore

/// An expression made ready to be tried on very many events: each condition is a bit, and what is known to hold
/// is a mask of these bits.
struct QueryProgram {
    private enum Step {
        case condition(UInt64)
        case not
        case all(Int)
        case any(Int)
    }

    /// Conditions by the number of their bit.
    let conditions: [QueryCondition]
    private let steps: [Step]
    private var lastMask: UInt64 = 0
    private var lastResult: Bool

    /// An expression may hold at most so many conditions, and be nested as deep.
    static let conditionLimit = 64

    /// - Precondition: the expression keeps to `conditionLimit`.
    init(_ expression: QueryExpression) {
        conditions = expression.conditions
        precondition(conditions.count <= Self.conditionLimit)
        var count = 0
        steps = Self.compile(expression, &count)
        lastResult = Self.run(steps, 0)
    }

    /// The bits of the conditions of which `isWanted` is true.
    func mask(where isWanted: (QueryCondition) -> Bool) -> UInt64 {
        conditions.enumerated().reduce(0) { isWanted($1.element) ? $0 | 1 << UInt64($1.offset) : $0 }
    }

    /// Whether the expression holds if exactly the conditions in `mask` do.
    @inline(__always) mutating func holds(_ mask: UInt64) -> Bool {
        if mask == lastMask { return lastResult }
        lastMask = mask
        lastResult = Self.run(steps, mask)
        return lastResult
    }

    private static func compile(_ expression: QueryExpression, _ count: inout Int) -> [Step] {
        switch expression {
        case .condition:
            count += 1
            return [.condition(1 << UInt64(count - 1))]
        case .not(let inner): return compile(inner, &count) + [.not]
        case .all(let parts): return compile(parts, &count) + [.all(parts.count)]
        case .any(let parts): return compile(parts, &count) + [.any(parts.count)]
        }
    }

    private static func compile(_ parts: [QueryExpression], _ count: inout Int) -> [Step] {
        var steps: [Step] = []
        for part in parts { steps += compile(part, &count) }
        return steps
    }

    /// Results wait on a stack of bits, the last one lowest.
    @inline(never) private static func run(_ steps: [Step], _ mask: UInt64) -> Bool {
        var stack: UInt64 = 0
        for step in steps {
            switch step {
            case .condition(let bit): stack = stack << 1 | (mask & bit == 0 ? 0 : 1)
            case .not: stack ^= 1
            case .all(let count):
                let operands = lowest(count)
                stack = shifted(stack, count) << 1 | (stack & operands == operands ? 1 : 0)
            case .any(let count):
                stack = shifted(stack, count) << 1 | (stack & lowest(count) == 0 ? 0 : 1)
            }
        }
        return stack & 1 == 1
    }

    private static func lowest(_ count: Int) -> UInt64 { count >= 64 ? .max : 1 << UInt64(count) - 1 }
    private static func shifted(_ stack: UInt64, _ count: Int) -> UInt64 { count >= 64 ? 0 : stack >> UInt64(count) }
}

/// Which strings satisfy the patterns of a program's conditions: the bits of those that a string does, found once
/// for each string.
struct NameMasks {
    private let patterns: [(bit: UInt64, globs: [Glob])]
    /// By string; 0 is not yet looked at, else the index of the mask and 1.
    private var known: [UInt8] = []
    private var masks: [UInt64] = [0]
    private var indices: [UInt64: UInt8] = [0: 1]
    let isEmpty: Bool

    init(_ program: QueryProgram, _ globs: (QueryCondition) -> [Glob]?) {
        self.init(
            patterns: program.conditions.enumerated().compactMap { index, condition in
                globs(condition).map { (bit: 1 << UInt64(index), globs: $0) }
            })
    }

    /// One bit for the names that fit one of the patterns; none, if there are no patterns.
    init(_ globs: [Glob]) { self.init(patterns: globs.isEmpty ? [] : [(bit: UInt64(1), globs: globs)]) }

    init(patterns: [(bit: UInt64, globs: [Glob])]) {
        self.patterns = patterns
        isEmpty = patterns.isEmpty
    }

    @inline(__always) mutating func mask(of name: StringID, _ tables: TraceTables) -> UInt64 {
        if isEmpty { return 0 }
        let index = Int(name.rawValue)
        if index < known.count, known[index] != 0 { return masks[Int(known[index]) - 1] }
        return look(name, tables)
    }

    @inline(never) private mutating func look(_ name: StringID, _ tables: TraceTables) -> UInt64 {
        let bytes = tables.strings.bytes(name)
        let mask = patterns.reduce(UInt64(0)) { mask, pattern in
            pattern.globs.contains { $0.matches(bytes) } ? mask | pattern.bit : mask
        }
        var index = indices[mask]
        if index == nil, masks.count < 255 {
            masks.append(mask)
            index = UInt8(masks.count)
            indices[mask] = index
        }
        guard let index else { return mask }
        if Int(name.rawValue) >= known.count {
            known.append(contentsOf: repeatElement(0, count: Int(name.rawValue) + 1 - known.count))
        }
        known[Int(name.rawValue)] = index
        return mask
    }
}
