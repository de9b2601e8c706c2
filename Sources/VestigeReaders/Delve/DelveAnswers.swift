// The parts of Delve's answers that Vestige reads (`service/api/types.go`). Members that older servers
// lack, or that are left out when empty, are optional.

struct DelveLocation: Decodable {
    var pc: UInt64?
    var file: String?
    var line: Int64?
    var function: Function?

    struct Function: Decodable {
        var name: String?
    }
}

struct DelveGoroutineRecord: Decodable {
    var id: Int64
    var currentLoc: DelveLocation?
    var userCurrentLoc: DelveLocation?
    var goStatementLoc: DelveLocation?
    var startLoc: DelveLocation?
    var threadID: Int64?
    var status: UInt64?
    var waitSince: Int64?
    var waitReason: Int64?
    var unreadable: String?
    var labels: [String: String]?
}

struct DelveFrame: Decodable {
    var pc: UInt64?
    var file: String?
    var line: Int64?
    var function: DelveLocation.Function?
    var bottom: Bool?
    var error: String?
    /// Only whether there are any is read.
    var locals: [Skipped]?
    var arguments: [Skipped]?
    var defers: [Skipped]?

    struct Skipped: Decodable {
        init(from decoder: any Decoder) {}
    }

    enum CodingKeys: String, CodingKey {
        case pc, file, line, function
        case bottom = "Bottom"
        case error = "Err"
        case locals = "Locals"
        case arguments = "Arguments"
        case defers = "Defers"
    }

    var location: DelveLocation { DelveLocation(pc: pc, file: file, line: line, function: function) }
}

struct DelveVariable: Decodable {
    var name: String?
    var type: String?
    var value: String?
    var kind: Int?
    var len: Int64?
    var children: [DelveVariable]?
    var unreadable: String?
    var addr: UInt64?
}

struct DelveBreakpoint: Decodable {
    var id: Int64?
    var name: String?
    var functionName: String?
    var isTracepoint: Bool?
    var isReturn: Bool?
    var totalHitCount: UInt64?

    enum CodingKeys: String, CodingKey {
        case id, name, functionName
        case isTracepoint = "continue"
        case isReturn = "traceReturn"
        case totalHitCount
    }
}

struct DelveThread: Decodable {
    var id: Int64
    var pc: UInt64?
    var file: String?
    var line: Int64?
    var function: DelveLocation.Function?
    var goroutineID: Int64?
    var breakPoint: DelveBreakpoint?
    var breakPointInfo: Info?
    var returnValues: [DelveVariable]?

    struct Info: Decodable {
        var stacktrace: [DelveFrame]?
        var goroutine: DelveGoroutineRecord?
        var variables: [DelveVariable]?
        var arguments: [DelveVariable]?
        var locals: [DelveVariable]?
    }

    enum CodingKeys: String, CodingKey {
        case id, pc, file, line, function, goroutineID, breakPoint, breakPointInfo
        case returnValues = "ReturnValues"
    }

    var location: DelveLocation { DelveLocation(pc: pc, file: file, line: line, function: function) }
}

struct DelveDebuggerState: Decodable {
    var isRunning: Bool?
    var threads: [DelveThread]?
    var currentThread: DelveThread?
    var currentGoroutine: DelveGoroutineRecord?
    var hasExited: Bool?

    enum CodingKeys: String, CodingKey {
        case isRunning = "Running"
        case threads = "Threads"
        case currentThread, currentGoroutine
        case hasExited = "exited"
    }
}

struct DelveVersionRecord: Decodable {
    var delve: String?
    var targetGo: String?

    enum CodingKeys: String, CodingKey {
        case delve = "DelveVersion"
        case targetGo = "TargetGoVersion"
    }
}

struct DelveGroup: Decodable {
    var name: String?
    var offset: Int?
    var count: Int?
    var total: Int?

    enum CodingKeys: String, CodingKey {
        case name = "Name"
        case offset = "Offset"
        case count = "Count"
        case total = "Total"
    }
}

struct DelveAncestorRecord: Decodable {
    var id: Int64?
    var stack: [DelveFrame]?
    var unreadable: String?

    enum CodingKeys: String, CodingKey {
        case id = "ID"
        case stack = "Stack"
        case unreadable = "Unreadable"
    }
}

/// The parameters that matter, of any method.
struct DelveParameters: Decodable {
    /// `Stacktrace`: the goroutine, -1 for the selected one.
    var id: Int64?
    /// `Ancestors`.
    var goroutineID: Int64?
    /// `Command`.
    var command: String?
    /// `Eval`.
    var expression: String?

    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case goroutineID = "GoroutineID"
        case command = "name"
        case expression = "Expr"
    }
}
