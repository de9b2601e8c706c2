import Testing
import Vestige

/// A Perfetto file as a trace processor sees it: slices on tracks, and the states of threads.
struct PerfettoFile {
    struct Slice {
        var track: UInt64
        var name: String
        var category: String?
        var start: UInt64
        var end: UInt64?
        var isInstant = false
        var annotations: [String: String] = [:]
        var flows: [UInt64] = []
        var terminatedFlows: [UInt64] = []
    }

    /// What the scheduler says of a thread.
    struct State {
        var thread: UInt64
        var start: UInt64
        var state: String
        var waker: UInt64?
        var reason: String?
        var end: UInt64?
    }

    struct Track {
        var name: String
        var parent: UInt64
        var rank: Int64
    }

    private(set) var packets: [ProtoMessage] = []
    private(set) var tracks: [UInt64: Track] = [:]
    private(set) var slices: [Slice] = []
    /// Samples of each counter, by its track's name.
    private(set) var counters: [String: [(time: UInt64, value: Int64)]] = [:]
    private(set) var states: [State] = []
    /// Names of threads by number.
    private(set) var threads: [UInt64: String] = [:]
    /// Names of processes by number, and the process of each thread.
    private(set) var processes: [UInt64: String] = [:]
    private(set) var processOf: [UInt64: UInt64] = [:]
    /// Functions of each CPU sample, innermost first, with its thread.
    private(set) var samples: [(thread: UInt64, functions: [String])] = []
    /// What a reader could not make sense of.
    private(set) var defects: [String] = []

    private var interned: [String: [UInt64: ProtoMessage]] = [:]
    private var clock: UInt64 = 0
    private var lastTime: UInt64 = 0

    /// What the writer makes of these events, given in batches of `capacity`.
    init(
        writing events: [Event], _ tables: TraceTables, capacity: Int = 8192, options: OutputOptions = .showingAll
    ) throws {
        try self.init(Self.bytes(writing: events, tables, capacity: capacity, options: options))
    }

    static func bytes(
        writing events: [Event], _ tables: TraceTables, capacity: Int = 8192,
        options: OutputOptions = .showingAll, isCompressed: Bool = false
    ) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = PerfettoWriter(sink, options: options, isCompressed: isCompressed)
        try events.withUnsafeBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: capacity) {
                let end = min(all.count, start + capacity)
                try writer.write(UnsafeBufferPointer(rebasing: all[start..<end]), tables: tables)
            }
        }
        try writer.finish(tables: tables)
        return sink.bytes
    }

    init(_ bytes: [UInt8]) throws {
        packets = try ProtoMessage(bytes[...], "Trace").messages("packet")
        var events: [(time: UInt64, packet: ProtoMessage)] = []
        var scheduling: [(time: UInt64, order: Int, apply: (inout PerfettoFile) -> Void)] = []
        for packet in packets {
            if let data = packet.message("interned_data") { intern(data) }
            let time = fileTime(packet)
            if let track = packet.message("track_descriptor") { describe(track) }
            if let tree = packet.message("process_tree") {
                for thread in tree.messages("threads") {
                    threads[thread.number("tid")!] = thread.text("name")
                    join(thread.number("tid")!, thread.number("tgid") ?? 0)
                }
                for process in tree.messages("processes") {
                    processes[process.number("pid")!] = process.text("cmdline")
                }
            }
            if packet.message("track_event") != nil { events.append((time, packet)) }
            if let sample = packet.message("perf_sample") { note(sample: sample) }
            scheduling += self.scheduling(packet, at: time)
            lastTime = max(lastTime, time)
        }
        for (time, packet) in events.enumerated().sorted(by: {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        })
        .map(\.element) {
            take(packet.message("track_event")!, at: time)
        }
        for step in scheduling.enumerated().sorted(by: {
            ($0.element.time, $0.element.order, $0.offset) < ($1.element.time, $1.element.order, $1.offset)
        }) { step.element.apply(&self) }
        check()
    }

    // MARK: - Track events

    private mutating func intern(_ data: ProtoMessage) {
        for (list, values) in data.fields {
            for case .message(let entry) in values {
                let iid = entry.number("iid") ?? 0
                if iid == 0 { defects.append("\(list) interns 0") }
                if interned[list, default: [:]].updateValue(entry, forKey: iid) != nil {
                    defects.append("\(list) interns \(iid) twice")
                }
            }
        }
    }

    private mutating func text(_ list: String, _ iid: UInt64) -> String {
        guard let entry = interned[list]?[iid] else {
            defects.append("\(list) does not have \(iid)")
            return "?"
        }
        return entry.text("name") ?? ""
    }

    private mutating func fileTime(_ packet: ProtoMessage) -> UInt64 {
        guard let time = packet.number("timestamp") else { return 0 }
        let isIncremental =
            packet.number("trusted_packet_sequence_id") == 1 && packet.number("timestamp_clock_id") == nil
        if !isIncremental { return time }
        clock += time
        return clock
    }

    /// A trace processor makes another thread of one that is in a process and is said to be in another.
    private mutating func join(_ thread: UInt64, _ process: UInt64) {
        if let old = processOf.updateValue(process, forKey: thread), old != process {
            defects.append("thread \(thread) was of process \(old) and is of \(process)")
        }
    }

    private mutating func describe(_ track: ProtoMessage) {
        let uuid = track.number("uuid") ?? 0
        if let thread = track.message("thread") {
            threadTracks[uuid] = thread.number("tid")
            join(thread.number("tid") ?? 0, thread.number("pid") ?? 0)
        }
        let new = Track(
            name: track.text("name") ?? "", parent: track.number("parent_uuid") ?? 0,
            rank: Int64(bitPattern: track.number("sibling_order_rank") ?? 0))
        if let old = tracks.updateValue(new, forKey: uuid), old.name != new.name || old.parent != new.parent {
            defects.append("track \(uuid) was \(old.name) and is \(new.name)")
        }
    }

    private var open: [UInt64: [Int]] = [:]
    private var threadTracks: [UInt64: UInt64] = [:]

    private mutating func take(_ event: ProtoMessage, at time: UInt64) {
        let track = event.number("track_uuid") ?? 0
        switch event.number("type") {
        case 1, 3:
            var slice = Slice(track: track, name: name(event), start: time)
            slice.category = event.number("category_iids").map { text("event_categories", $0) }
            slice.isInstant = event.number("type") == 3
            if slice.isInstant { slice.end = time }
            slice.flows = event.numbers("flow_ids")
            slice.terminatedFlows = event.numbers("terminating_flow_ids")
            if !slice.isInstant { open[track, default: []].append(slices.count) }
            slices.append(slice)
            annotate(slices.count - 1, event)
        case 2:
            guard let index = open[track]?.popLast() else {
                return defects.append("nothing to end on \(track) at \(time)")
            }
            slices[index].end = time
            annotate(index, event)
        case 4:
            let name = tracks[track]?.name ?? "?"
            counters[name, default: []].append((time, Int64(bitPattern: event.number("counter_value") ?? 0)))
        default: defects.append("an event of no type")
        }
    }

    private mutating func name(_ event: ProtoMessage) -> String {
        event.text("name") ?? text("event_names", event.number("name_iid") ?? 0)
    }

    private mutating func annotate(_ index: Int, _ event: ProtoMessage) {
        for annotation in event.messages("debug_annotations") {
            let name = text("debug_annotation_names", annotation.number("name_iid") ?? 0)
            let value: String
            if let iid = annotation.number("string_value_iid") {
                value = text("debug_annotation_string_values", iid)
            } else {
                value =
                    annotation.text("string_value") ?? annotation.number("bool_value").map {
                        $0 == 1 ? "true" : "false"
                    }
                    ?? annotation.number("uint_value").map(String.init)
                    ?? annotation.number("int_value").map { String(Int64(bitPattern: $0)) } ?? "?"
            }
            slices[index].annotations[name] = value
        }
    }

    // MARK: - CPU samples

    private mutating func note(sample: ProtoMessage) {
        var functions: [String] = []
        if let iid = sample.number("callstack_iid") {
            let frames = interned["callstacks"]?[iid]?.numbers("frame_ids") ?? []
            if frames.isEmpty { defects.append("callstack \(iid) is not there") }
            for frame in frames.reversed() {
                let entry = interned["frames"]?[frame]
                functions.append(text("function_names", entry?.number("function_name_id") ?? 0))
                if interned["mappings"]?[entry?.number("mapping_id") ?? 0] == nil { defects.append("no mapping") }
            }
        }
        samples.append((sample.number("tid") ?? 0, functions))
    }

    // MARK: - Scheduling

    private var current: [UInt64: UInt64] = [:]
    private var openStates: [UInt64: Int] = [:]

    private mutating func scheduling(
        _ packet: ProtoMessage, at time: UInt64
    ) -> [(time: UInt64, order: Int, apply: (inout PerfettoFile) -> Void)] {
        if let task = packet.message("generic_kernel_task_state_event") {
            let name = [2: "R", 4: "S", 5: "D", 8: "X"][task.number("state") ?? 0] ?? "?"
            let thread = task.number("tid") ?? 0
            return [(time, 0, { $0.set(thread, name, at: time) })]
        }
        guard let bundle = packet.message("ftrace_events") else { return [] }
        let cpu = bundle.number("cpu") ?? 0
        if cpu >= 1024 { defects.append("CPU \(cpu)") }
        var steps = columns(bundle, cpu)
        for event in bundle.messages("event") {
            let (time, pid) = (event.number("timestamp") ?? 0, event.number("pid") ?? 0)
            if let change = event.message("sched_switch") {
                let (next, state) = (change.number("next_pid") ?? 0, change.number("prev_state") ?? 0)
                steps.append((time, 1, { $0.change(cpu, to: next, previousState: state, at: time) }))
            } else if let waking = event.message("sched_waking") {
                let thread = waking.number("pid") ?? 0
                steps.append((time, 1, { $0.wake(thread, by: pid, at: time) }))
            } else if let blocked = event.message("sched_blocked_reason") {
                let (thread, symbol) = (blocked.number("pid") ?? 0, blocked.number("caller") ?? 0)
                steps.append((time, 1, { $0.explain(thread, symbol) }))
            }
        }
        return steps
    }

    private mutating func columns(
        _ bundle: ProtoMessage, _ cpu: UInt64
    ) -> [(time: UInt64, order: Int, apply: (inout PerfettoFile) -> Void)] {
        guard let compact = bundle.message("compact_sched") else { return [] }
        var steps: [(time: UInt64, order: Int, apply: (inout PerfettoFile) -> Void)] = []
        let (states, nexts) = (compact.numbers("switch_prev_state"), compact.numbers("switch_next_pid"))
        let lengths = ["timestamp", "prev_state", "next_pid", "next_prio", "next_comm_index"].map {
            compact.numbers("switch_\($0)").count
        }
        let wakingLengths = ["timestamp", "pid", "target_cpu", "prio", "comm_index"].map {
            compact.numbers("waking_\($0)").count
        }
        guard Set(lengths).count == 1, Set(wakingLengths).count == 1 else {
            defects.append("columns of different lengths")
            return []
        }
        var time: UInt64 = 0
        for (index, delta) in compact.numbers("switch_timestamp").enumerated() {
            time += delta
            let (now, next, state) = (time, nexts[index], states[index])
            steps.append((now, 1, { $0.change(cpu, to: next, previousState: state, at: now) }))
        }
        time = 0
        for (delta, thread) in zip(compact.numbers("waking_timestamp"), compact.numbers("waking_pid")) {
            time += delta
            let now = time
            steps.append((now, 1, { $0.wake(thread, by: $0.current[cpu] ?? 0, at: now) }))
        }
        return steps
    }

    private mutating func set(_ thread: UInt64, _ state: String, waker: UInt64? = nil, at time: UInt64) {
        if let index = openStates[thread] { states[index].end = time }
        openStates[thread] = states.count
        states.append(State(thread: thread, start: time, state: state, waker: waker))
    }

    private mutating func change(_ cpu: UInt64, to next: UInt64, previousState: UInt64, at time: UInt64) {
        let previous = current[cpu] ?? 0
        current[cpu] = next
        if previous != 0 { set(previous, [0: "R", 1: "S", 2: "D", 16: "X"][previousState] ?? "?", at: time) }
        if next != 0 { set(next, "Running", at: time) }
    }

    private mutating func wake(_ thread: UInt64, by waker: UInt64, at time: UInt64) {
        if let index = openStates[thread], !["S", "D"].contains(states[index].state) { return }
        set(thread, "R", waker: waker, at: time)
    }

    private mutating func explain(_ thread: UInt64, _ symbol: UInt64) {
        guard let index = openStates[thread], ["S", "D"].contains(states[index].state) else { return }
        states[index].reason = text("kernel_symbols", symbol)
    }

    /// Nanoseconds that each thread ran.
    var runningNanoseconds: [UInt64: UInt64] {
        var sums: [UInt64: UInt64] = [:]
        for state in states where state.state == "Running" {
            sums[state.thread, default: 0] += state.end! - state.start
        }
        return sums
    }

    /// `start–end state`, with reason and waker, of the thread of this name.
    func states(of name: String) -> [String] {
        let numbers = threads.filter { $0.value == name }.map(\.key)
        return states.filter { numbers.contains($0.thread) }.map { state in
            let waker = state.waker.map { " by \(threads[$0] ?? "nobody")" } ?? ""
            let reason = state.reason.map { " (\($0))" } ?? ""
            return "\(state.start)–\(state.end.map(String.init) ?? "") \(state.state)\(reason)\(waker)"
        }
    }

    // MARK: - Names of tracks, and the whole

    /// `Goroutines/main.worker/G18 main.worker`
    func path(_ track: UInt64) -> String {
        if let thread = threadTracks[track] { return threads[thread] ?? "?" }
        guard let known = tracks[track] else { return "?" }
        return known.parent == 0 ? known.name : "\(path(known.parent))/\(known.name)"
    }

    /// The slices of the tracks of this path, `start–end name`, in order.
    func rows(_ path: String) -> [String] {
        slices.filter { self.path($0.track) == path && !$0.isInstant }
            .sorted { ($0.start, $1.end ?? 0) < ($1.start, $0.end ?? 0) }
            .map { "\($0.start)–\($0.end.map(String.init) ?? "") \($0.name)" }
    }

    func instants(_ path: String) -> [String] {
        slices.filter { self.path($0.track) == path && $0.isInstant }.map { "\($0.start) \($0.name)" }
    }

    private mutating func check() {
        for track in Set(slices.map(\.track)) where path(track).contains("?") {
            defects.append("track \(track) has no name")
        }
        for slice in slices where slice.end == nil {
            defects.append("\(slice.name) on \(path(slice.track)) is not ended")
        }
        let begun = slices.flatMap(\.flows)
        if begun.count != Set(begun).count { defects.append("an arrow begins twice") }
        if begun.sorted() != slices.flatMap(\.terminatedFlows).sorted() { defects.append("an arrow has one end") }
        for state in states where state.state == "Running" && state.end == nil {
            defects.append("\(state.thread) runs on")
        }
        for thread in Set(states.map(\.thread)) where threads[thread] == nil {
            defects.append("thread \(thread) has no name")
        }
    }
}

extension OutputOptions {
    /// With everything that viewers can show.
    static var showingAll: OutputOptions {
        var options = OutputOptions()
        options.views = .all
        return options
    }
}
