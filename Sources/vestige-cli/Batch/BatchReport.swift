import Vestige

/// What became of each task of a batch, as CSV and as JSON.
struct BatchReport {
    let rows: [(task: BatchTask, outcome: BatchOutcome)]

    /// Writes `PATH.csv` and `PATH.json`.
    func write(to path: String) throws(TraceError) {
        try write("\(path).csv") { buffer throws(TraceError) in try appendCSV(to: buffer) }
        try write("\(path).json") { buffer throws(TraceError) in try appendJSON(to: buffer) }
    }

    private func write(_ path: String, _ body: (TextBuffer) throws(TraceError) -> Void) throws(TraceError) {
        let file = try OutputFile(path, overwrites: true)
        let buffer = TextBuffer(file.sink)
        defer { buffer.deallocate() }
        try body(buffer)
        try buffer.flush()
        try file.commit()
    }

    private static func seconds(_ outcome: BatchOutcome) -> String {
        Units.decimal(Double(outcome.milliseconds) / 1000, digits: 3)
    }

    private func appendCSV(to buffer: TextBuffer) throws(TraceError) {
        buffer.append("input,format,output,result,events,loss,seconds,message\r\n")
        for (task, outcome) in rows {
            let cells = [
                task.input, task.format.name, task.output, outcome.result.rawValue, String(outcome.eventCount),
                outcome.loss, Self.seconds(outcome), outcome.message,
            ]
            for (position, cell) in cells.enumerated() {
                if position > 0 { buffer.append(",") }
                var cell = cell
                cell.withUTF8 { buffer.appendCSVText($0) }
            }
            buffer.append("\r\n")
            try buffer.flushIfNeeded()
        }
    }

    private func appendJSON(to buffer: TextBuffer) throws(TraceError) {
        buffer.append(
            "{\"done\":\(count(.done)),\"partial\":\(count(.partial)),\"failed\":\(count(.failed)),\"rows\":[\n")
        for (index, (task, outcome)) in rows.enumerated() {
            let object = JSONObject()
            object.add("input", task.input)
            object.add("format", task.format.name)
            object.add("output", task.output.isEmpty ? nil : task.output)
            object.add("result", outcome.result.rawValue)
            object.add("events", outcome.eventCount)
            object.add("loss", outcome.loss.isEmpty ? nil : outcome.loss)
            object.add("milliseconds", outcome.milliseconds)
            object.add("message", outcome.message.isEmpty ? nil : outcome.message)
            buffer.append(object.text + (index + 1 < rows.count ? ",\n" : "\n"))
            try buffer.flushIfNeeded()
        }
        buffer.append("]}\n")
    }

    func count(_ result: BatchOutcome.Result) -> Int { rows.count { $0.outcome.result == result } }
}
