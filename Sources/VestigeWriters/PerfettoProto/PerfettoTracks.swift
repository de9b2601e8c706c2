import VestigeCore

/// The tracks that are not bound to one thing: the four top ones, and those of the runtime. Of several processes each
/// has these below a track of its own.
///
/// Ids of tracks are small, since each event names its track.
final class PerfettoTracks {
    enum Fixed: UInt64 {
        case process = 0
        case runtime = 1
        case procs = 2
        case tasks = 3
        case goroutines = 4
        case collections = 5
        case stops = 6
        case events = 7

        fileprivate var title: StaticString {
            switch self {
            case .process: ""
            case .runtime: "Runtime"
            case .procs: "Procs"
            case .tasks: "Tasks"
            case .goroutines: "Goroutines"
            case .collections: "GC"
            case .stops: "Stop the world"
            case .events: "Events"
            }
        }

        fileprivate var parent: Fixed? {
            switch self {
            case .process: nil
            case .collections, .stops, .events: .runtime
            case .runtime, .procs, .tasks, .goroutines: .process
            }
        }
    }

    let packets: PacketWriter
    /// Fixed tracks that have been described, as bits.
    private var described: UInt64 = 0
    private var lastUUID: UInt64
    /// By start function: the id of its group of goroutines, or 0.
    private var groups: [UInt32] = []
    private var groupCount: Int64 = 0
    /// By type of task.
    private var freeTasks: [StringID: [UInt64]] = [:]

    init(_ packets: PacketWriter) {
        self.packets = packets
        lastUUID = packets.process.unique(7)
    }

    /// An id that no other track has.
    func newUUID() -> UInt64 {
        lastUUID &+= packets.process.step
        return lastUUID
    }

    /// The id of a fixed track, which is described if it is the first use.
    func fixed(_ track: Fixed) -> UInt64 {
        let uuid = packets.process.unique(track.rawValue)
        let bit = UInt64(1) << track.rawValue
        if described & bit == 0 {
            described |= bit
            describe(track, uuid)
        }
        return uuid
    }

    private func describe(_ track: Fixed, _ uuid: UInt64) {
        let process = packets.process
        // The only process has no track.
        if uuid == 0 { return }
        let parent = track.parent.map { fixed($0) } ?? 0
        let rank = track == .process ? Int64(process.number) : Int64(track.rawValue)
        packets.describeTrack(uuid, in: parent, rank: rank) {
            if track == .process { $0.append(process.name) } else { $0.buffer.append(track.title) }
        }
    }

    /// The group of the goroutines that began with a function. Those of the runtime come last.
    func group(_ startFunction: StringID) -> UInt64 {
        let index = Int(startFunction.rawValue)
        if index >= groups.count { groups.append(contentsOf: repeatElement(0, count: index + 1 - groups.count)) }
        if groups[index] != 0 { return UInt64(groups[index]) }
        let uuid = newUUID()
        // Ids of groups are small in any sane trace; one that is not is described anew each time.
        groups[index] = UInt32(exactly: uuid) ?? 0
        groupCount += 1
        let name = packets.tables.strings.bytes(startFunction)
        let rank = groupCount + (name.isEmpty ? 2 << 24 : GoNames.isRuntime(name) ? 1 << 24 : 0)
        packets.describeTrack(uuid, in: fixed(.goroutines), rank: rank) {
            if name.isEmpty { $0.buffer.append("start function not known") }
            $0.append(startFunction, packets.tables)
        }
        return uuid
    }

    /// A track below another, for one kind of thing.
    func child(of parent: UInt64, _ name: StaticString, rank: Int64) -> UInt64 {
        let uuid = newUUID()
        packets.describeTrack(uuid, in: parent, rank: rank, isLeaf: true) { $0.buffer.append(name) }
        return uuid
    }

    /// A track for one task, which is its own until `release`. Tasks are all below one track, and those of one type
    /// share its rows, as far as they do not overlap.
    func task(_ type: StringID) -> UInt64 {
        if let free = freeTasks[type]?.popLast() { return free }
        return newTask(type)
    }

    /// The track of a task that has ended is another's from now on: tracks take readers longer than slices.
    func release(task track: UInt64, _ type: StringID) { freeTasks[type, default: []].append(track) }

    /// A track that no task has had before.
    func newTask(_ type: StringID) -> UInt64 {
        let uuid = newUUID()
        packets.describeTrack(uuid, in: fixed(.tasks), rank: Int64(type.rawValue), isLeaf: true) {
            $0.append(type, packets.tables)
        }
        return uuid
    }
}
