import Foundation
import Testing
import VestigeCore
import VestigeTestSupport
import VestigeWriters

/// The tables that come out of events, parsed.
struct CSVOutput {
    let target: MemoryTarget
    /// The rows of each file, the header first.
    let files: [String: [[String]]]

    init(_ script: EventScript, tables: [String]? = nil, isFolder: Bool = true, batchSize: Int = 3) throws {
        try self.init(script.events, script.tables, tables: tables, isFolder: isFolder, batchSize: batchSize)
    }

    init(
        _ events: [Event], _ eventTables: TraceTables, tables: [String]? = nil, isFolder: Bool = true, batchSize: Int
    ) throws {
        target = MemoryTarget(isFolder: isFolder)
        var options = OutputOptions()
        options.tables = tables
        let writer = try CSVFormat.format.make(target, options)
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: batchSize) {
                let batch = UnsafeBufferPointer(rebasing: all[start..<min(start + batchSize, all.count)])
                try writer.write(batch, tables: eventTables)
            }
        }
        try writer.finish(tables: eventTables)
        files = try target.sinks.mapValues { try CSVParser.rows($0.bytes) }
    }

    /// The rows of a table, each as its named fields.
    func rows(of table: String) throws -> [[String: String]] {
        let rows = try #require(files[table + ".csv"])
        return try rows.dropFirst().map { row in
            try #require(row.count == rows[0].count)
            return Dictionary(uniqueKeysWithValues: zip(rows[0], row))
        }
    }
}

/// A table's schema, as it stands in `Schemas/csv`.
struct CSVSchemaFile: Decodable {
    struct Field: Decodable {
        struct Constraints: Decodable {
            var required: Bool?
            var minimum: Int?
            var `enum`: [String]?
        }

        var name: String
        var type: String
        var description: String
        var constraints: Constraints?
    }

    var name: String
    var description: String
    var fields: [Field]

    static let tables = CSVFormat.format.tableNames

    static func url(of table: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Schemas/csv/\(table).json")
    }

    static func read(_ table: String) throws -> CSVSchemaFile {
        try JSONDecoder().decode(CSVSchemaFile.self, from: Data(contentsOf: url(of: table)))
    }

    /// What is wrong with the rows of a table (header first), or nil.
    func complaint(about rows: [[String]]) -> String? {
        guard rows.first == fields.map(\.name) else { return "header \(rows.first ?? [])" }
        for (line, row) in rows.enumerated().dropFirst() {
            guard row.count == fields.count else { return "row \(line) has \(row.count) fields" }
            for (field, cell) in zip(fields, row) where !field.allows(cell) {
                return "row \(line): \(field.name) is '\(cell)'"
            }
        }
        return nil
    }
}

extension CSVSchemaFile.Field {
    func allows(_ cell: String) -> Bool {
        if cell.isEmpty { return constraints?.required != true }
        if let values = constraints?.enum, !values.contains(cell) { return false }
        switch type {
        case "integer":
            // UInt64 is the widest that is written; it must be canonical.
            guard "\(Int64(cell) ?? 0)" == cell || "\(UInt64(cell) ?? 0)" == cell else { return false }
            return constraints?.minimum.map { UInt64(cell) != nil || Int64(cell)! >= $0 } ?? true
        case "boolean": return cell == "true" || cell == "false"
        default: return type == "string"
        }
    }
}
