import Vestige
import VestigeTestSupport

/// Everything that reading an input gives.
struct TraceRun {
    let tables = TraceTables()
    let diagnostics = Diagnostics()
    let hash: TruthHash
    private(set) var events: [Event] = []
    private(set) var failure: TraceError?

    init(_ bytes: [UInt8], format: InputFormat, capacity: Int = EventBatch.defaultCapacity, keepsLines: Bool = false) {
        hash = TruthHash(tables, keepsLines: keepsLines)
        tables.sources.append(SourceInfo(path: "test", format: format.name))
        let context = ReaderContext(tables: tables, diagnostics: diagnostics, source: 0)
        var batch = EventBatch(capacity: capacity)
        do throws(TraceError) {
            let reader = try format.open(ByteSource(bytes: bytes, path: "test"), context)
            var isMore = true
            while isMore {
                batch.removeAll()
                isMore = try reader.read(into: &batch)
                hash.add(batch.events)
                events += Array(batch.events)
            }
        } catch {
            failure = error
        }
    }
}
