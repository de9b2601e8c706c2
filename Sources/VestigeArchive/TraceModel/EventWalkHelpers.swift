/// The ways in which an argument is predicted.
extension EventWalk where Port: ~Copyable {
    typealias Candidates = UnsafeMutablePointer<SchedulerModel.Candidates>

    @inline(__always) func column(_ type: UInt8, _ index: Int) -> Int {
        ColumnID.argument(ModelEvent.row(type), index)
    }

    /// A number near the one predicted.
    @inline(__always) mutating func near(_ predicted: UInt64, _ value: UInt64, _ column: Int) -> UInt64 {
        if Port.isEncoding {
            _ = port.pass(zigzag(value &- predicted), column)
            return value
        }
        return predicted &+ unzigzag(port.pass(0, column))
    }

    /// A number near the last one in the same place.
    @inline(__always) mutating func nearLast(_ value: UInt64, _ column: Int, plus step: UInt64 = 0) -> UInt64 {
        let place = (column - ColumnID.arguments) / 2
        let passed = near(state.last[place] &+ step, value, column)
        state.last[place] = passed
        return passed
    }

    /// One of the two that came here before, or another.
    @inline(__always) mutating func either(
        _ candidates: Candidates, _ value: UInt64, _ column: Int
    ) -> UInt64 {
        let (first, second) = (candidates.pointee.first, candidates.pointee.second)
        var value = value
        if Port.isEncoding {
            let code = value == first ? 0 : value == second ? 1 : escape(value, 2)
            _ = port.pass(code, column)
        } else {
            let code = port.pass(0, column)
            value = code == 0 ? first : code == 1 ? second : code &- 2
        }
        if value != first {
            candidates.pointee.second = first
            candidates.pointee.first = value
        }
        return value
    }

    /// The code of a choice among candidates, where it is the decoder's turn to know.
    @inline(__always) mutating func choice(_ column: Int) -> UInt64 { Port.isEncoding ? 0 : port.pass(0, column) }

    /// Whether a candidate is the one. Candidates are asked for in order of their likelihood, and those that come
    /// behind the right one are not even found out.
    @inline(__always) mutating func isChosen(
        _ number: UInt64, _ candidate: UInt64, _ value: inout UInt64, _ choice: UInt64, _ column: Int
    ) -> Bool {
        guard Port.isEncoding ? value == candidate : choice == number else { return false }
        if Port.isEncoding { _ = port.pass(number, column) }
        value = candidate
        return true
    }

    /// None of `count` candidates: a number near `base`.
    @inline(__always) mutating func choose(
        another value: inout UInt64, near base: UInt64, behind count: UInt64, _ choice: UInt64, _ column: Int
    ) {
        if Port.isEncoding {
            _ = port.pass(escape(zigzag(base &- value), count), column)
        } else {
            value = base &- unzigzag(choice &- count)
        }
    }

    /// A number behind `count` others. There is no room for the very greatest, which no trace has.
    @inline(__always) private mutating func escape(_ value: UInt64, _ count: UInt64) -> UInt64 {
        if value > .max - count { port.refuse() }
        return value &+ count
    }

    /// The stack of an event, by where its goroutine was before.
    @inline(__always) mutating func stack(_ type: UInt8, _ value: UInt64, _ column: Int, _ cursor: Cursor) -> UInt64 {
        let record = state.goroutine(cursor.pointee.goroutine)
        let context = state.context(.stack, record.pointee.stack, UInt64(type))
        let passed = either(context, value, column)
        record.pointee.stack = passed
        return passed
    }
}
