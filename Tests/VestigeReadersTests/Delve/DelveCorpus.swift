import Foundation
import Vestige
import VestigeTestSupport

/// The Delve recordings with what is known of them, where the corpus is there.
enum DelveCorpus {
    static let folder = Corpus.shared.map { $0.appendingPathComponent("corpus/delve").path }

    static let manifest: Manifest? = folder.map { folder in
        let data = try! Data(contentsOf: URL(fileURLWithPath: "\(folder)/manifest.json"))
        return try! JSONDecoder().decode(Manifest.self, from: data)
    }

    struct Manifest: Decodable, Sendable {
        var sets: [String: Recordings]
    }

    struct Recordings: Decodable, Sendable {
        var go: String
        var truth: Truth
        var files: [String: File]

        struct File: Decodable, Sendable {
            var command: String?
        }
    }

    struct Truth: Decodable, Sendable {
        var leaked: [Leak]
        var finishedBeforeAnySnapshot: [Int64]
        var goroutines: [String: Goroutine]

        struct Leak: Decodable, Sendable { var goid: Int64 }

        enum CodingKeys: String, CodingKey {
            case leaked
            case finishedBeforeAnySnapshot = "finished_before_any_snapshot"
            case goroutines
        }
    }

    /// What the program itself knows of a goroutine: where it is meant to be blocked.
    struct Goroutine: Decodable, Sendable {
        var role: String
        var parent: Int64
        var want: String

        /// The runtime's words for it in Go 1.`minor`.
        func reason(minor: Int) -> String? {
            switch want {
            case "sync.Mutex.Lock", "sync.RWMutex.RLock", "sync.RWMutex.Lock": minor < 20 ? "semacquire" : want
            case "sync.WaitGroup.Wait": minor < 24 ? "semacquire" : want
            case "gone", "syscall", "select or sleep", "running or runnable": nil
            default: want
            }
        }
    }

    static let setNames = (manifest?.sets.keys.sorted()) ?? []

    static func minor(_ set: String) -> Int { Int(manifest!.sets[set]!.go.split(separator: ".")[1])! }
    static func goVersion(_ set: String) -> String { String(manifest!.sets[set]!.go.dropFirst(2)) }
    static func path(_ set: String, _ file: String) -> String { "\(folder!)/\(set)/\(file)" }

    /// A file that a reader must take (or must refuse with a clear error).
    struct Input: CustomStringConvertible, Sendable {
        var set: String
        var file: String
        var description: String { "\(set)/\(file)" }
        var path: String { DelveCorpus.path(set, file) }
        var name: String { String(file.split(separator: "/").last!) }
    }

    /// Every input; what other tools wrote, and truth, are none.
    static let inputs: [Input] = setNames.flatMap { set in
        manifest!.sets[set]!.files.keys.sorted().filter(isInput).map { Input(set: set, file: $0) }
    }

    private static func isInput(_ file: String) -> Bool {
        let name = file.split(separator: "/").last!
        if file.contains("dumps/") || file.contains("dap/") || name.hasPrefix("goroutine.") && name.contains("debug") {
            return false
        }
        if ["stderr.txt", "stdout.txt", "trace.events.txt"].contains(name) { return false }
        return file.contains("/") && !name.hasSuffix(".log") && !name.hasSuffix(".out")
            && !name.hasSuffix("truth.jsonl")
    }

    /// One stop of a set as a log: version, listing, and the stack of each goroutine, with their requests.
    static func log(_ set: String, phase: String, upTo version: Bool = true) throws -> [UInt8] {
        let base = "\(folder!)/\(set)/rpc"
        var names = version ? ["00-setup/get-version"] : []
        names.append("\(phase)/list-goroutines")
        let stacks = try FileManager.default.contentsOfDirectory(atPath: "\(base)/\(phase)/stacktrace").sorted()
        names += stacks.filter { $0.hasSuffix(".response.json") }
            .map { "\(phase)/stacktrace/" + $0.dropLast(".response.json".count) }
        var log: [UInt8] = []
        for name in names {
            for part in ["request", "response"] {
                log += try Data(contentsOf: URL(fileURLWithPath: "\(base)/\(name).\(part).json"))
            }
        }
        return log
    }

    /// Folders of one stop, with those of the client's text where it was recorded there.
    static func phases(_ set: String) -> [(rpc: String, text: String)] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder!)/\(set)/rpc")) ?? []
        return all.sorted().filter { $0.contains("phase") }
            .map { ($0, "cli/" + $0.dropFirst(3)) }
    }
}

/// An observation by its fields, as a test wants them.
struct Seen {
    var goroutine: Int64
    var thread: Int64
    var count: UInt64
    var state: GoroutineState
    var reason: String
    var waitNanoseconds: UInt64
    var detail: ObservationDetail
    var attributes: [(name: String, value: String)]
    var labels: [String: String]
    /// Frames as `function file:line 0xpc`.
    var stack: [String]
    var creation: String?

    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
    var doubts: [String] { attributes.filter { $0.name == "doubt" }.map(\.value) }
    /// An entry of a listing, not a thread or a remainder.
    var isEntry: Bool { count == 1 && attribute("what") == nil }
}

extension Reading {
    var seen: [Seen] { events.filter { $0.kind == .observed }.map(seen) }

    /// The observations of goroutines with numbers, by these.
    var seenByID: [Int64: Seen] {
        Dictionary(seen.filter { $0.goroutine > 0 }.map { ($0.goroutine, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func seen(_ event: Event) -> Seen {
        let detail = tables.observations.detail(event.observationDetail)
        let pairs = { (list: AttributeListID) in
            self.tables.observations.attributes(list).map {
                (name: self.tables.strings.string($0.name), value: self.tables.strings.string($0.value))
            }
        }
        return Seen(
            goroutine: event.goroutine.rawValue, thread: event.thread.rawValue, count: event.observedCount,
            state: event.toGoroutineState, reason: tables.strings.string(event.name),
            waitNanoseconds: event.leastWaitNanoseconds, detail: detail, attributes: pairs(detail.attributes),
            labels: Dictionary(pairs(detail.labels).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            stack: frames(event.stack), creation: frames(detail.creation.stack).first)
    }

    func frames(_ stack: StackID) -> [String] {
        tables.stacks.frames(stack).map { frame in
            let (function, file) = (tables.strings.string(frame.function), tables.strings.string(frame.file))
            return "\(function) \(file):\(frame.line) 0x\(String(frame.programCounter, radix: 16))"
        }
    }

    /// Breakpoints that were hit, with their arguments.
    var hits: [(event: Event, name: String, arguments: [String: String])] {
        events.filter { $0.kind == .breakpoint }.map { event in
            let list = tables.observations.attributes(event.breakpointAttributes)
            let arguments = list.map { (tables.strings.string($0.name), tables.strings.string($0.value)) }
            return (
                event, tables.strings.string(event.name), Dictionary(arguments, uniquingKeysWith: { first, _ in first })
            )
        }
    }
}
