import VestigeCore

/// Numbers for what threads are blocked in: a wait reason, or a system call, with the stack at which it began.
///
/// A stack hardly ever has two reasons, so a number is kept for each stack, and given anew where the reason is another.
struct BlockedFunctions {
    enum Kind: Equatable {
        case syscall
        case waiting(StringID)
    }

    private struct Place {
        var kind: Kind
        var number: UInt64
    }

    private var byStack: [Place?] = []
    private var withoutStack: [UInt32: UInt64] = [:]
    private var count: UInt64 = 0

    /// The number, and whether it is a new one.
    mutating func number(_ kind: Kind, at stack: StackID) -> (number: UInt64, isNew: Bool) {
        guard stack != .absent else { return number(withoutStack: kind) }
        let index = Int(stack.rawValue)
        if index >= byStack.count { byStack.append(contentsOf: repeatElement(nil, count: index + 1 - byStack.count)) }
        if let place = byStack[index], place.kind == kind { return (place.number, false) }
        count += 1
        byStack[index] = Place(kind: kind, number: count)
        return (count, true)
    }

    private mutating func number(withoutStack kind: Kind) -> (number: UInt64, isNew: Bool) {
        let key = if case .waiting(let reason) = kind { reason.rawValue } else { StringID.empty.rawValue }
        if let number = withoutStack[key] { return (number, false) }
        count += 1
        withoutStack[key] = count
        return (count, true)
    }
}
