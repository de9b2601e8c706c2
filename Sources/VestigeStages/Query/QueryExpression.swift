import VestigeCore

/// What a selected event must satisfy. It is tried for each goroutine that the event belongs to, and holds
/// for the event if it does for one of them.
public indirect enum QueryExpression: Sendable {
    case condition(QueryCondition)
    case not(QueryExpression)
    case all([QueryExpression])
    case any([QueryExpression])
}

/// One comparison.
public enum QueryCondition: Sendable {
    public enum Comparison: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal }

    case time(Comparison, TimeBound)
    case kind(Set<EventKind>)
    case goroutine([ClosedRange<Int64>])
    case function([Glob])
    /// The goroutine is in a region of such a name, which lasts at least so many nanoseconds.
    case region([Glob], lasting: Int64)
    /// The event is of a task of such a name, or the goroutine is in one of its regions.
    case task([Glob], lasting: Int64)
    case label([Glob])
    /// The event begins or ends a stretch of such a state.
    case state([GoroutineState], lasting: Int64)
    case reason([Glob], lasting: Int64)
    /// Of the goroutines that `--descendants` and `--related` add.
    case added
}

extension QueryExpression {
    /// All conditions in it, from left to right.
    var conditions: [QueryCondition] {
        switch self {
        case .condition(let condition): [condition]
        case .not(let inner): inner.conditions
        case .all(let parts), .any(let parts): parts.flatMap(\.conditions)
        }
    }
}

extension Query {
    /// So many conditions one query can hold.
    public static let conditionLimit = QueryProgram.conditionLimit
    /// True if it asks for more.
    public var isTooLarge: Bool { expression.conditions.count > Self.conditionLimit }

    /// Everything but the time window and the closures, as one expression.
    ///
    /// What is asked of goroutines does not count for those that closures add; what is asked of events does.
    var expression: QueryExpression {
        var who = goroutineParts
        if includesDescendants || relatedHops > 0 { who = [.any([.all(who), .condition(.added)])] }
        return .all(who + eventParts)
    }

    /// The expression that goroutines satisfy from whom closures start. Its conditions are the first ones of
    /// `expression`, so that facts about them hold for both.
    var seedExpression: QueryExpression { .all(goroutineParts) }

    private var eventParts: [QueryExpression] {
        var parts: [QueryCondition] = []
        if !kinds.isEmpty { parts.append(.kind(kinds)) }
        if !states.isEmpty { parts.append(.state(states, lasting: minDurationNanoseconds)) }
        if !reasons.isEmpty { parts.append(.reason(reasons, lasting: minDurationNanoseconds)) }
        return parts.map { .condition($0) }
    }

    private var goroutineParts: [QueryExpression] {
        var parts: [QueryCondition] = []
        if !goroutines.isEmpty { parts.append(.goroutine(goroutines)) }
        if !functions.isEmpty { parts.append(.function(functions)) }
        if !regions.isEmpty { parts.append(.region(regions, lasting: minDurationNanoseconds)) }
        if !tasks.isEmpty { parts.append(.task(tasks, lasting: minDurationNanoseconds)) }
        if !labels.isEmpty { parts.append(.label(labels)) }
        // Times that all the rest is joined to by "and" are the window.
        return parts.map { .condition($0) } + conditions.flatMap(\.conjuncts).filter { !$0.isTime }
    }
}
