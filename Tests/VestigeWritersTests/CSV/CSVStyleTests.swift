import Testing
import VestigeCore
import VestigeTestSupport
import VestigeWriters

/// What a user may choose of the dialect.
@Suite struct CSVStyleTests {
    let script = EventScript()

    private func lines(
        _ table: String, _ style: TableStyle, isFolder: Bool = true, diagnostics: Diagnostics? = nil
    ) throws -> [Substring] {
        try target([table], style, isFolder: isFolder, diagnostics: diagnostics)
            .text(of: isFolder ? table + ".csv" : "").split(separator: "\r\n")
    }

    private func target(
        _ tables: [String]?, _ style: TableStyle, isFolder: Bool = true, diagnostics: Diagnostics? = nil
    ) throws -> MemoryTarget {
        let target = MemoryTarget(isFolder: isFolder)
        var options = OutputOptions()
        options.tables = tables
        options.tableStyle = style
        options.diagnostics = diagnostics
        let writer = try CSVFormat.format.make(target, options)
        try script.forEachBatch(of: 4) { try writer.write($0, tables: script.tables) }
        try writer.finish(tables: script.tables)
        return target
    }

    private func spreadsheet(_ delimiter: Character = ",", _ decimal: Character = ".") -> TableStyle {
        var style = TableStyle()
        style.isForSpreadsheets = true
        style.delimiter = delimiter.asciiValue!
        style.decimalMark = decimal.asciiValue!
        return style
    }

    // MARK: - Columns, delimiters, headers

    @Test func chosenColumnsInTheirOrder() throws {
        script.mark(.log, "a,b", at: 5, on: 7, UInt64(script.string("=1").rawValue))
        script.mark(.log, "c", at: 9, on: 8, UInt64(script.string("two\nlines").rawValue))
        var style = TableStyle()
        style.columns = ["message", "time_ns", "category", "source", "message"]
        #expect(
            try lines("logs", style) == [
                "message,time_ns,category,source,message", "'=1,0,\"a,b\",0,'=1", "\"two\nlines\",4,c,0,\"two\nlines\"",
            ])
        style.hasHeader = false
        style.columns = ["goroutine"]
        #expect(try lines("logs", style) == ["7", "8"])
    }

    @Test func columnsThatThereAreNot() {
        var style = TableStyle()
        style.columns = ["nonsense"]
        #expect { try target(["logs"], style) } throws: { "\($0)".contains("found nonsense") }
        style.columns = ["source"]
        #expect { try target(nil, style) } throws: { "\($0)".contains("expected one table for a choice of columns") }
    }

    @Test(arguments: TableStyle.delimiters) func aDelimiterIsQuoted(_ delimiter: UInt8) throws {
        let mark = String(Unicode.Scalar(delimiter))
        script.mark(.log, "a\(mark)b", at: 5, on: 7, UInt64(script.string("plain").rawValue))
        var style = TableStyle()
        style.delimiter = delimiter
        style.columns = ["category", "message"]
        #expect(try lines("logs", style) == ["category\(mark)message", "\"a\(mark)b\"\(mark)plain"])
    }

    @Test func allColumnsAreAsWithoutChoice() throws {
        script.go(7, .notExist, .runnable, at: 10, by: 1, ownStack: ["main.f"])
        script.mark(.regionEnd, "r", at: 20, on: 7)
        for table in CSVFormat.format.tableNames {
            var style = TableStyle()
            let whole = try target([table], style)
            // (That of the process is there for several of them.)
            style.columns = CSVFormat.format.tableColumns?(table, style).filter { $0 != "process" }
            #expect(try target([table], style).bytes(of: table + ".csv") == whole.bytes(of: table + ".csv"), "\(table)")
        }
    }

    // MARK: - Spreadsheets

    @Test func spreadsheetsGetTimesThatTheyComputeWith() throws {
        let clock = script.tables.add(
            ClockSnapshot(
                traceNanoseconds: 1000, monotonicNanoseconds: 1, wallUnixNanoseconds: 1_700_000_000_123_000_000))
        script.add(Event(kind: .sync, timeNanoseconds: 1000, argument0: 1, argument1: clock))
        script.mark(.log, "c", at: 1_234_568_890, on: 7, UInt64(script.string("1.5").rawValue))
        var style = spreadsheet()
        #expect(
            try lines("logs", style) == [
                "\u{feff}time_s,time_utc,goroutine,proc,thread,task,category,message,stack,source",
                "1.234567890,2023-11-14 22:13:21.357,7,0,100,0,c,'1.5,,0",
            ])
        style = spreadsheet(";", ",")
        #expect(try lines("logs", style)[1] == "1,234567890;2023-11-14 22:13:21,357;7;0;100;0;c;'1.5;;0")
        style.columns = ["time_s"]
        #expect(try lines("logs", style) == ["\u{feff}time_s", "1,234567890"])
    }

    /// Without a wall clock there is no date, and times before the first event are negative.
    @Test func timesWithoutAWallClock() throws {
        script.sync(at: 100)
        script.mark(.regionBegin, "r", at: 90, on: 7)
        script.mark(.regionEnd, "r", at: 2_000_000_100, on: 7)
        #expect(try lines("regions", spreadsheet())[1].contains(",-0.000000010,2.000000000,2.000000010,,"))
        script.tables.sources[0].clock = .wall
        #expect(try lines("regions", spreadsheet())[1].contains(",1970-01-01 00:00:00.000,"))
    }

    /// A spreadsheet keeps 15 digits of a number.
    @Test(arguments: [
        (UInt64(999_999_999_999_999), "999999999999999"), (1_000_000_000_000_000, "'1000000000000000"),
        (.max, "'18446744073709551615"),
    ]) func longNumbersAreText(_ value: UInt64, _ cell: String) throws {
        script.mark(.metric, "m", at: 1, task: value)
        var style = spreadsheet()
        style.columns = ["value"]
        #expect(try lines("metrics", style)[1] == cell[...])
        style.isForSpreadsheets = false
        #expect(try lines("metrics", style)[1] == "\(value)")
    }

    /// What a spreadsheet would make something else of is marked as text.
    @Test(arguments: [
        ("1.5", true), ("007", true), ("1e5", true), ("3-4", true), ("1/2", true), ("12:30", true), ("5 Mar", true),
        ("March 2024", true), ("true", true), ("FALSE", true), ("$5", true), ("50%", true), ("２", true),
        ("number 1", false), ("12 apples", false), ("true enough", false), ("v1.2", false), ("x", false), ("=1", true),
        ("main.f", false), ("", false),
    ]) func textStaysText(_ text: String, _ isMarked: Bool) throws {
        script.mark(.log, text, at: 5, on: 7, UInt64(script.string(text).rawValue))
        var style = spreadsheet()
        style.columns = ["category", "message"]
        let cell = isMarked ? "'" + text : text
        let quoted = cell.utf8.contains { $0 >= 0x80 } ? "\"\(cell)\"" : cell
        #expect(try lines("logs", style)[1] == "\(quoted),\(quoted)")
    }

    @Test(arguments: [(1, 9), (5, 2), (10, 1), (1000, 1)])
    func longTablesAreSplit(_ rowsPerFile: Int, _ fileCount: Int) throws {
        for time: Int64 in 0..<9 { script.mark(.metric, "m", at: time, task: UInt64(time)) }
        var style = spreadsheet()
        style.spreadsheetLineCount = rowsPerFile + 1
        style.columns = ["value"]
        let diagnostics = Diagnostics()
        let target = try target(["metrics"], style, diagnostics: diagnostics)
        var values: [Substring] = []
        for number in 1...fileCount {
            let rows = target.text(of: number == 1 ? "metrics.csv" : "metrics-\(number).csv").split(separator: "\r\n")
            #expect(rows[0] == "\u{feff}value")
            #expect(rows.count <= rowsPerFile + 1)
            values += rows.dropFirst()
        }
        #expect(values == (0..<9).map { "\($0)" })
        #expect(target.sinks.count == fileCount)
        #expect(diagnostics[.tableFilesAdded] == UInt64(fileCount - 1))
        #expect(!diagnostics.hasLoss)
    }

    @Test func aSingleFileHoldsAllAndThatIsSaid() throws {
        for time: Int64 in 0..<9 { script.mark(.metric, "m", at: time) }
        var style = spreadsheet()
        style.spreadsheetLineCount = 6
        let diagnostics = Diagnostics()
        #expect(try lines("metrics", style, isFolder: false, diagnostics: diagnostics).count == 10)
        #expect(diagnostics[.rowsBeyondSpreadsheet] == 4)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01 00:00:00.000"), (951_782_399_999_999_999, "2000-02-28 23:59:59.999"),
        (951_782_400_000_000_000, "2000-02-29 00:00:00.000"), (-1, "1969-12-31 23:59:59.999"),
        (4_107_542_400_000_000_000, "2100-03-01 00:00:00.000"), (.max, "2262-04-11 23:47:16.854"),
        (.min, "1677-09-21 00:12:43.145"),
    ]) func dates(_ unixNanoseconds: Int64, _ text: String) {
        let buffer = TextBuffer(MemorySink(), capacity: 64)
        defer { buffer.deallocate() }
        buffer.appendDateTime(unixNanoseconds: unixNanoseconds)
        #expect(String(decoding: buffer.pending, as: UTF8.self) == text)
    }
}
