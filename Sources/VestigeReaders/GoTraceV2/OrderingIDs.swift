import VestigeCore

/// The strings and stacks that a generation's events name.
extension Ordering {
    mutating func refreshMaps() {
        (stringMap, stringMapCount) = (tables.strings.dense, tables.strings.denseCount)
        (stackMap, stackMapCount) = (tables.stacks.dense, tables.stacks.denseCount)
        while knownStringCount < stringMapCount, stringMap[knownStringCount] != IDMap.missing { knownStringCount += 1 }
        while knownStackCount < stackMapCount, stackMap[knownStackCount] != IDMap.missing { knownStackCount += 1 }
    }

    @inline(__always) mutating func string(_ id: UInt64) -> StringID {
        if id < UInt64(truncatingIfNeeded: stringMapCount) {
            let value = stringMap[Int(truncatingIfNeeded: id)]
            if value != IDMap.missing { return StringID(value) }
        }
        return missingString(id)
    }

    @inline(__always) mutating func stack(_ id: UInt64) -> StackID {
        if id < UInt64(truncatingIfNeeded: stackMapCount) {
            let value = stackMap[Int(truncatingIfNeeded: id)]
            if value != IDMap.missing { return StackID(value) }
        }
        return missingStack(id)
    }

    /// - Returns: nil if it is not ordinary: one of the ids up to it is missing.
    @inline(__always) mutating func string<How>(_ id: UInt64, _ turn: Turn<How>) -> StringID? {
        guard How.isOrdinary else { return string(id) }
        guard id < UInt64(truncatingIfNeeded: knownStringCount) else { return nil }
        return StringID(stringMap[Int(truncatingIfNeeded: id)])
    }

    @inline(__always) mutating func stack<How>(_ id: UInt64, _ turn: Turn<How>) -> StackID? {
        guard How.isOrdinary else { return stack(id) }
        guard id < UInt64(truncatingIfNeeded: knownStackCount) else { return nil }
        return StackID(stackMap[Int(truncatingIfNeeded: id)])
    }

    @inline(never) private mutating func missingString(_ id: UInt64) -> StringID {
        let string = tables.resolve(string: id)
        refreshMaps()
        return string
    }

    @inline(never) private mutating func missingStack(_ id: UInt64) -> StackID {
        let stack = tables.resolve(stack: id)
        refreshMaps()
        return stack
    }
}
