import Foundation
import VestigeCore

/// The corpus of traces with their truth, where it is there: in `shared` beside the package, or
/// where the environment variable `VESTIGE_SHARED` says.
public enum Corpus {
    /// The `shared` folder, or nil.
    public static let shared: URL? = {
        let environment = ProcessInfo.processInfo.environment["VESTIGE_SHARED"]
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder =
            environment.map { URL(fileURLWithPath: $0) }
            ?? package.deletingLastPathComponent().appendingPathComponent("shared")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// The folder of the Go execution traces, or nil.
    public static var traceFolder: URL? { shared?.appendingPathComponent("corpus/gotrace") }

    /// The traces of the manifest; none where the corpus is not there.
    public static let traces: [CorpusTrace] = {
        guard let folder = traceFolder,
            let manifest = try? Data(contentsOf: folder.appendingPathComponent("manifest.json"))
        else { return [] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        // A manifest that is there must be readable: else every test of the corpus would pass unseen.
        return try! decoder.decode([CorpusTrace].self, from: manifest)
    }()

    /// Paths of the folders with recordings of one run by three tools; none where the corpus is not there.
    public static let threeToolFolders: [String] = {
        guard let folder = shared?.appendingPathComponent("corpus/delve") else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.map { folder.appendingPathComponent($0).path }.filter {
            FileManager.default.fileExists(atPath: $0 + "/alignment.json")
        }.sorted()
    }()

    /// All bytes of a file, decompressed.
    public static func bytes(of path: String) throws -> [UInt8] {
        let source = try ByteSource.open(path)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try source.read(at: UInt64(bytes.count), into: $0) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            source.discard(before: UInt64(bytes.count))
        }
    }
}

/// One line of the corpus manifest; the fields are explained beside it.
public struct CorpusTrace: Decodable, Sendable, CustomStringConvertible {
    public var name: String
    public var file: String
    public var truth: String?
    public var eventsFile: String?
    public var go: String
    public var format: String?
    public var must: String
    public var stable: Bool?
    public var recoverable: Recoverable?

    /// The complete generations at the front of a cut file, read as a file of their own.
    public struct Recoverable: Decodable, Sendable {
        public var bytes: Int
        public var events: Int
        public var hashFull: String?
    }

    public var description: String { name }
    public var path: String { Corpus.traceFolder!.appendingPathComponent(file).path }
    public var eventsPath: String? { eventsFile.map { Corpus.traceFolder!.appendingPathComponent($0).path } }

    /// The digest of the truth, as JSON objects.
    public func readTruth() throws -> [String: Any] {
        let url = Corpus.traceFolder!.appendingPathComponent(truth ?? "")
        return try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
    }
}
