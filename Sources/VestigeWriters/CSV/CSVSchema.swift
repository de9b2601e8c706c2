import VestigeCore

/// Writes the Frictionless Table Schema of a table (datapackage.org/standard/table-schema).
enum CSVSchema {
    static func json(of table: any CSVTable.Type) -> String {
        let sink = MemorySink()
        let buffer = TextBuffer(sink)
        defer { buffer.deallocate() }
        buffer.append("{\n  \"$schema\": \"https://datapackage.org/profiles/2.0/tableschema.json\",\n  \"name\": ")
        buffer.appendJSONString(table.name)
        buffer.append(",\n  \"description\": ")
        buffer.appendJSONString(table.summary)
        buffer.append(",\n  \"missingValues\": [\"\"],\n  \"fields\": [")
        for (position, column) in table.columns.enumerated() {
            buffer.append(position == 0 ? "\n" : ",\n")
            append(column, to: buffer)
        }
        buffer.append("\n  ]\n}\n")
        // A sink in memory does not throw.
        try? buffer.flush()
        return String(decoding: sink.bytes, as: UTF8.self)
    }

    private static func append(_ column: CSVColumn, to buffer: TextBuffer) {
        buffer.append("    {\n      \"name\": ")
        buffer.appendJSONString(column.name)
        buffer.append(",\n      \"type\": ")
        buffer.appendJSONString(column.schemaType)
        buffer.append(",\n      \"description\": ")
        buffer.appendJSONString(column.description)
        var constraints: [String] = []
        if column.isRequired { constraints.append("\"required\": true") }
        if let minimum = column.minimum { constraints.append("\"minimum\": \(minimum)") }
        if !column.values.isEmpty {
            constraints.append("\"enum\": [" + column.values.map { "\"\($0)\"" }.joined(separator: ", ") + "]")
        }
        if !constraints.isEmpty {
            buffer.append(",\n      \"constraints\": { ")
            buffer.append(constraints.joined(separator: ", "))
            buffer.append(" }")
        }
        buffer.append("\n    }")
    }
}
