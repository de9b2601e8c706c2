import Vestige
import Glibc
let path = CommandLine.arguments[1]
let tables = TraceTables(); let d = Diagnostics()
tables.sources.append(SourceInfo(path: path, format: "x"))
let src = try ByteSource.open(path)
let r = try GoTraceV2Format.format.open(src, ReaderContext(tables: tables, diagnostics: d, source: 0))
var b = EventBatch()
var n = 0
do { while try r.read(into: &b) { n += b.count; b.removeAll() }; n += b.count } catch { print(error) }
print(n); for (c, v) in d.nonZero { print(c, v) }; for e in d.errors { print(e) }
