import VestigeCore

/// An output target in memory: a folder of files, or one file.
public final class MemoryTarget: OutputTarget {
    public let isFolder: Bool
    public let path = "memory"
    /// By name; the single file has the name "".
    public private(set) var sinks: [String: MemorySink] = [:]
    public private(set) var isCommitted = false

    public init(isFolder: Bool = true) { self.isFolder = isFolder }

    public func sink(named name: String?) -> any ByteSink {
        let sink = MemorySink()
        sinks[name ?? ""] = sink
        return sink
    }

    public func commit() { isCommitted = true }

    public func bytes(of name: String = "") -> [UInt8] { sinks[name]?.bytes ?? [] }
    public func text(of name: String = "") -> String { String(decoding: bytes(of: name), as: UTF8.self) }
}
