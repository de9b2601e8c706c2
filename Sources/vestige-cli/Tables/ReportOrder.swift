import Vestige

/// In which order rows are shown, and how many.
struct ReportOrder {
    /// Name of a column; with a minus sign in front, the greatest first.
    let column: String
    let isDescending: Bool
    /// Nil for all.
    let limit: Int?

    init(_ column: String, reversed: Bool, limit: Int?) {
        let isMinus = column.hasPrefix("-")
        self.column = isMinus ? String(column.dropFirst()) : column
        isDescending = isMinus != reversed
        self.limit = limit
    }

    /// The column of this name, whose unit may be left out, or with this heading.
    /// - Throws: `usage`, with the names and headings there are and the nearest.
    func column<Record>(among columns: [ReportColumn<Record>]) throws(TraceError) -> ReportColumn<Record> {
        let wanted = column.lowercased()
        if let exact = columns.first(where: { $0.name == wanted }) { return exact }
        if let bare = columns.first(where: { Self.withoutUnit($0.name) == wanted }) { return bare }
        let shown = columns.filter { $0.place != .machines }
        if let headed = shown.first(where: { $0.title.lowercased() == wanted }) { return headed }
        throw Suggestion.unknown(column, kind: "column for --sort", among: Self.names(of: columns))
    }

    /// Names, each with the heading behind it if that is another word.
    private static func names<Record>(of columns: [ReportColumn<Record>]) -> [String] {
        var names: [String] = []
        for column in columns {
            names.append(column.name)
            let title = column.title.lowercased()
            let isKnown = names.contains(title) || withoutUnit(column.name) == title
            if column.place != .machines, !isKnown { names.append(title) }
        }
        return names
    }

    private static func withoutUnit(_ name: String) -> String {
        for unit in ["_ns", "_bytes"] where name.hasSuffix(unit) { return String(name.dropLast(unit.count)) }
        return name
    }

    /// Whether `a` comes before `b`; nil if both are alike. What has no value comes last in any order.
    func precedes(_ a: ReportValue, _ b: ReportValue) -> Bool? {
        switch (a, b) {
        case (.none, .none): return nil
        case (.none, _): return false
        case (_, .none): return true
        default:
            if Self.isLess(a, b) { return !isDescending }
            return Self.isLess(b, a) ? isDescending : nil
        }
    }

    private static func isLess(_ a: ReportValue, _ b: ReportValue) -> Bool {
        switch (a, b) {
        case (.unsigned(let a), .unsigned(let b)): a < b
        case (.ratio(let a), .ratio(let b)): a < b
        case (.text(let a), .text(let b)): a < b
        case (.flag(let a), .flag(let b)): !a && b
        default: a.integer < b.integer
        }
    }
}

extension ReportValue {
    fileprivate var integer: Int64 {
        switch self {
        case .number(let value), .nanoseconds(let value), .bytes(let value): value
        case .unsigned(let value): Int64(clamping: value)
        case .ratio, .text, .flag, .none: 0
        }
    }
}

/// The rows of a table that is of one kind or of another, as the inputs turn out to be: of lives, or of what observers
/// saw. The order may be by a column that only one of them has.
struct EitherRecords<A, B> {
    private let order: (a: ReportOrder, b: ReportOrder)
    private let columns: (a: [ReportColumn<A>], b: [ReportColumn<B>])
    private(set) var a: OrderedRecords<A>?
    private(set) var b: OrderedRecords<B>?

    /// - Throws: `usage` if neither has the column to order by.
    init(
        _ a: [ReportColumn<A>], by orderA: ReportOrder, or b: [ReportColumn<B>], by orderB: ReportOrder
    ) throws(TraceError) {
        columns = (a, b)
        order = (orderA, orderB)
        self.a = try? OrderedRecords(orderA, a)
        self.b = try? OrderedRecords(orderB, b)
        if self.a == nil, self.b == nil { _ = try orderA.column(among: a) }
    }

    mutating func add(_ record: A) { a?.add(record) }
    mutating func add(_ record: B) { b?.add(record) }

    /// The report of the one kind.
    /// - Throws: `usage` if it has no such column.
    mutating func reportOfA(_ name: String) throws(TraceError) -> Report<A> {
        _ = try order.a.column(among: columns.a)
        return Report(name: name, columns: columns.a, records: a?.finish() ?? [], count: a?.count ?? 0)
    }

    /// The report of the other kind.
    /// - Throws: `usage` if it has no such column.
    mutating func reportOfB(_ name: String) throws(TraceError) -> Report<B> {
        _ = try order.b.column(among: columns.b)
        return Report(name: name, columns: columns.b, records: b?.finish() ?? [], count: b?.count ?? 0)
    }
}

/// Takes rows in any order and keeps the first of them in order: all, or not many more than asked for.
struct OrderedRecords<Record> {
    private let order: ReportOrder
    private let key: (Record) -> ReportValue
    private var kept: [(key: ReportValue, position: UInt64, record: Record)] = []
    private(set) var count: UInt64 = 0

    init(_ order: ReportOrder, _ columns: [ReportColumn<Record>]) throws(TraceError) {
        self.order = order
        key = try order.column(among: columns).value
    }

    mutating func add(_ record: Record) {
        kept.append((key(record), count, record))
        count += 1
        if let limit = order.limit, kept.count >= limit &* 2 &+ 1024 { cut(to: limit) }
    }

    /// The rows in order.
    mutating func finish() -> [Record] {
        cut(to: order.limit ?? kept.count)
        return kept.map(\.record)
    }

    private mutating func cut(to limit: Int) {
        kept.sort { a, b in order.precedes(a.key, b.key) ?? (a.position < b.position) }
        if kept.count > limit { kept.removeLast(kept.count - limit) }
    }
}
