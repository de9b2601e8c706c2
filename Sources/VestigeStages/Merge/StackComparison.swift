import VestigeCore

/// Compares stacks that different tools recorded of the same moment.
public enum StackComparison {
    /// True if the program's functions in one stack are those of the other with some left out: wrappers
    /// are missing in recordings, and deep stacks are cut. Of the runtime's own frames each tool shows others.
    public static func agree(_ one: StackID, _ other: StackID, _ tables: TraceTables) -> Bool {
        let (a, b) = (names(one, tables), names(other, tables))
        return a.isEmpty || b.isEmpty || isSubsequence(a, of: b) || isSubsequence(b, of: a)
    }

    /// How many frames of the program two stacks have in common, line by line, from the outermost.
    static func rootDepth(_ one: StackID, _ other: StackID, _ tables: TraceTables) -> Int {
        let (a, b) = (fromRoot(one, tables), fromRoot(other, tables))
        return zip(a, b).prefix { $0.function == $1.function && $0.line == $1.line }.count
    }

    private static func fromRoot(_ stack: StackID, _ tables: TraceTables) -> [Frame] {
        tables.stacks.frames(stack).reversed().filter {
            !tables.strings.bytes($0.function).starts(with: "runtime.".utf8)
        }
    }

    private static func names(_ stack: StackID, _ tables: TraceTables) -> [[UInt8]] {
        tables.stacks.frames(stack).map { plainName(tables.strings.bytes($0.function)) }.filter {
            !$0.isEmpty && !isRuntime($0)
        }
    }

    private static func isSubsequence(_ part: [[UInt8]], of whole: [[UInt8]]) -> Bool {
        var rest = whole[...]
        for name in part {
            guard let place = rest.firstIndex(of: name) else { return false }
            rest = rest[(place + 1)...]
        }
        return true
    }

    /// A function's name without the brackets of type arguments: they read `[...]` in one tool and
    /// `[go.shape.int]` in another. Dumps write `panic` for the function behind it.
    static func plainName(_ name: some Collection<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        var depth = 0
        for byte in name {
            if byte == UInt8(ascii: "[") { depth += 1 }
            if depth == 0 { plain.append(byte) }
            if byte == UInt8(ascii: "]"), depth > 0 { depth -= 1 }
        }
        return plain.elementsEqual("panic".utf8) ? Array("runtime.gopanic".utf8) : plain
    }

    static func isRuntime(_ name: [UInt8]) -> Bool {
        (name.starts(with: "runtime.".utf8) && !name.elementsEqual("runtime.main".utf8))
            || name.starts(with: "internal/runtime".utf8)
    }
}
