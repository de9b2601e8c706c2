import SwiftProtobuf
import VestigeCore

/// What the samples of a profile refer to: strings, functions and locations. They stand behind the samples, so
/// the whole profile is passed over once to collect them.
struct ProfileTables {
    private(set) var strings: [StringID] = []
    private(set) var sampleTypes: [(type: StringID, unit: StringID)] = []
    private(set) var mappings: [PprofMapping] = []
    private(set) var comments: [StringID] = []
    private(set) var timeNanoseconds: Int64 = 0
    private var functions = NumberedTable<Function>()
    private var locations = NumberedTable<Location>()
    /// The frames of all locations, one location's together, innermost first.
    private var lines: [Line] = []
    private var sampleTypeIndices: [(Int64, Int64)] = []
    private var commentIndices: [Int64] = []
    /// Stacks by their innermost location and the stack below: nearly all have been seen before.
    private var stacks: [Step: StackID] = [:]
    private var madeFrameCount = 0
    private let tables: TraceTables
    private let diagnostics: Diagnostics

    private struct Function {
        var name: Int64
        var file: Int64
    }

    private struct Location {
        var address: UInt64
        var lines: Range<Int>
    }

    private struct Line {
        var function: UInt64
        var line: Int64
    }

    private struct Step: Hashable {
        var location: UInt64
        var caller: StackID
    }

    /// Go keeps at most 128 frames of a stack; what inlines thousands of functions is no program.
    private static let frameLimit = 16 << 20
    /// No message within a profile is nearly as long.
    private static let messageLimit = 1 << 20

    init(_ context: ReaderContext) {
        tables = context.tables
        diagnostics = context.diagnostics
    }

    /// Decodes a message within a profile.
    static func decode<Content: SwiftProtobuf.Message>(
        _ field: ProfileFields.Field, as type: Content.Type
    ) throws(TraceError) -> Content {
        guard field.content.count <= messageLimit else {
            throw TraceError(
                .damaged, byteOffset: UInt64(field.offset), expected: "a message of at most \(messageLimit) bytes",
                found: "\(field.content.count)")
        }
        do {
            return try Content(serializedBytes: Array(field.content))
        } catch {
            throw TraceError(
                .damaged, byteOffset: UInt64(field.offset), expected: "a \(Content.protoMessageName)",
                found: "\(field.content.count) bytes that are none (\(error))")
        }
    }

    mutating func collect(_ field: ProfileFields.Field) throws(TraceError) {
        switch field.number {
        case ProfileField.string: strings.append(tables.strings.intern(field.content))
        case ProfileField.sampleType:
            let type = try Self.decode(field, as: PprofValueType.self)
            if sampleTypeIndices.count < 64 { sampleTypeIndices.append((type.type, type.unit)) }
        case ProfileField.function:
            let function = try Self.decode(field, as: PprofFunction.self)
            functions.insert(function.id, Function(name: function.name, file: function.filename))
        case ProfileField.location:
            let location = try Self.decode(field, as: PprofLocation.self)
            let start = lines.count
            for line in location.line { lines.append(Line(function: line.functionID, line: line.line)) }
            locations.insert(location.id, Location(address: location.address, lines: start..<lines.count))
        case ProfileField.mapping:
            let mapping = try Self.decode(field, as: PprofMapping.self)
            if mappings.count < 1000 { mappings.append(mapping) }
        case ProfileField.timeNanoseconds: timeNanoseconds = Int64(bitPattern: field.value)
        case ProfileField.comment:
            if commentIndices.count < 1000 { commentIndices.append(Int64(bitPattern: field.value)) }
        default: break
        }
    }

    /// Strings may stand behind what names them.
    mutating func finishCollecting() {
        sampleTypes = sampleTypeIndices.map { (string($0.0), string($0.1)) }
        comments = commentIndices.map { string($0) }
    }

    func string(_ index: Int64) -> StringID {
        if index >= 0, index < strings.count { return strings[Int(index)] }
        if index != 0 { diagnostics.count(.stringsUnresolved) }
        return .empty
    }

    // MARK: - Stacks

    /// The stack of these locations, innermost first.
    mutating func stack(_ locationIDs: [UInt64]) throws(TraceError) -> StackID {
        var stack = StackID.absent
        for id in locationIDs.reversed() {
            let step = Step(location: id, caller: stack)
            if let known = stacks[step] {
                stack = known
            } else {
                stack = try call(id, from: stack)
                stacks[step] = stack
            }
        }
        return stack
    }

    private mutating func call(_ id: UInt64, from caller: StackID) throws(TraceError) -> StackID {
        guard let location = locations[id] else {
            diagnostics.count(.stacksUnresolved)
            return caller
        }
        var frame = Frame(programCounter: location.address, function: .empty, file: .empty, line: 0)
        if location.lines.isEmpty { return tables.stacks.intern(frame, caller: caller) }
        madeFrameCount += location.lines.count
        guard madeFrameCount <= Self.frameLimit else {
            throw TraceError(
                .damaged, expected: "at most \(Self.frameLimit) different frames", found: "more")
        }
        var stack = caller
        for line in lines[location.lines].reversed() {
            frame.line = UInt64(clamping: line.line)
            (frame.function, frame.file) = names(line.function)
            stack = tables.stacks.intern(frame, caller: stack)
        }
        return stack
    }

    private func names(_ id: UInt64) -> (StringID, StringID) {
        guard let function = functions[id] else {
            if id != 0 { diagnostics.count(.stacksUnresolved) }
            return (.empty, .empty)
        }
        return (string(function.name), string(function.file))
    }
}

/// Values by number. Numbers that count up from 1, as Go gives them, cost no more than the values.
private struct NumberedTable<Value> {
    private var dense: [Value] = []
    private var others: [UInt64: Value] = [:]

    mutating func insert(_ number: UInt64, _ value: Value) {
        if number == UInt64(dense.count) + 1 { dense.append(value) } else { others[number] = value }
    }

    subscript(_ number: UInt64) -> Value? {
        if number > 0, number <= UInt64(dense.count) { return dense[Int(number) - 1] }
        return others.isEmpty ? nil : others[number]
    }
}
