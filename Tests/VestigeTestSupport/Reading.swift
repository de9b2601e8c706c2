import Vestige

/// What reading an input gave.
public final class Reading {
    public let tables = TraceTables()
    public let diagnostics = Diagnostics()
    public private(set) var events: [Event] = []
    /// What ended the reading, or kept it from beginning.
    public private(set) var error: TraceError?

    /// Reads all of `source` in batches of `capacity` events.
    public init(
        _ source: ByteSource, format: InputFormat? = nil, capacity: Int = EventBatch.defaultCapacity,
        goVersion: String? = nil
    ) {
        tables.sources.append(SourceInfo(path: source.path, format: ""))
        do throws(TraceError) {
            let format = if let format { format } else { try Formats.detect(source) }
            let reader = try format.open(
                source, ReaderContext(tables: tables, diagnostics: diagnostics, source: 0, goVersion: goVersion))
            var batch = EventBatch(capacity: capacity)
            var isMore = true
            while isMore {
                batch.removeAll()
                isMore = try reader.read(into: &batch)
                events += Array(batch.events)
            }
        } catch {
            self.error = error
        }
    }

    public convenience init(
        bytes: [UInt8], format: InputFormat? = nil, capacity: Int = EventBatch.defaultCapacity, goVersion: String? = nil
    ) {
        self.init(
            ByteSource(bytes: bytes, path: "test.trace"), format: format, capacity: capacity, goVersion: goVersion)
    }

    /// Opens and reads a file.
    public convenience init(
        path: String, capacity: Int = EventBatch.defaultCapacity, goVersion: String? = nil
    ) throws {
        self.init(try ByteSource.open(path), capacity: capacity, goVersion: goVersion)
    }

    /// The events as the truth's canonical lines, which do not depend on how ids were handed out.
    public var lines: [String] { hash(keepsLines: true).lines }

    public func hash(keepsLines: Bool = false) -> TruthHash {
        let hash = TruthHash(tables, keepsLines: keepsLines)
        events.withUnsafeBufferPointer { hash.add($0) }
        return hash
    }

    /// The goroutine's transitions as `from>to`.
    public func transitions(of goroutine: Int64) -> [String] {
        events.filter { $0.kind == .goroutineTransition && $0.subjectGoroutine.rawValue == goroutine }
            .map { "\($0.fromGoroutineState.name)>\($0.toGoroutineState.name)" }
    }
}
