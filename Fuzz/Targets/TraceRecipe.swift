/// Makes a Go execution trace v2 out of fuzz bytes, so that fuzzing is not stuck at headers and lengths.
///
/// The bytes are steps: which thread does which event to which goroutine, when a batch or a generation
/// ends, where something is wrong. A small model of the scheduler supplies the numbers that a sound trace
/// would have (sequence numbers, times, who runs where), and a status event before anything is mentioned
/// for the first time in a generation, as the runtime does. So most of a trace is sound and the rest is
/// wrong in ways that matter.
public struct TraceRecipe {
    private var steps: RecipeSteps
    private let version: Int
    private var trace: [UInt8]
    private var generation: UInt64 = 1
    private var now: UInt64 = 1000
    private var gcSequence: UInt64 = 0
    private var threads: [ThreadModel]
    private var goroutines: [GoroutineModel]
    private var procs: [ProcModel]
    private var samples: [UInt8] = []

    public static func trace(of bytes: [UInt8]) -> [UInt8] {
        var recipe = TraceRecipe(bytes)
        while recipe.step() {}
        recipe.endGeneration(RecipeStep(0))
        return recipe.trace
    }

    private init(_ bytes: [UInt8]) {
        steps = RecipeSteps(bytes)
        version = [26, 25, 23, 22][Int(steps.next() & 3)]
        threads = (0..<4).map { ThreadModel(id: UInt64(100 + $0)) } + [ThreadModel(id: .max)]
        // The last of each is a number that no sane program has.
        goroutines = (1...7).map { GoroutineModel(id: $0) } + [GoroutineModel(id: 1 << 60)]
        procs = (0..<3).map { ProcModel(id: $0) } + [ProcModel(id: 1 << 20)]
        trace = Self.header(version)
    }

    private static func header(_ version: Int) -> [UInt8] {
        Array("go 1.\(version) trace".utf8) + [0, 0, 0]
    }

    /// - Returns: false when the recipe is over.
    private mutating func step() -> Bool {
        guard !steps.isAtEnd else { return false }
        let kind = steps.next()
        let how = RecipeStep(steps.next())
        switch kind & 63 {
        case let row where Int(row) < WireRow.all.count: event(WireRow.all[Int(row)], thread: kind >> 6, how)
        case 58: sample(how)
        case 59: experimentalBatch(how)
        case 60: raw(Int(kind >> 6), how)
        case 61: time(how)
        case 62: flush(Int(how.bits) % threads.count)
        case 63: endGeneration(how)
        default: event(WireRow.all[Int(kind & 63) % WireRow.all.count], thread: 4, how)
        }
        return true
    }

    // MARK: - Events

    private mutating func event(_ row: WireRow, thread index: UInt8, _ how: RecipeStep) {
        let thread = Int(index)
        guard row.version <= version || how.deviation == .wrongThread else { return }
        let goroutine = subject(of: row, on: thread, how)
        let proc = row.proc == .another ? how.index % procs.count : threads[thread].proc ?? how.index % procs.count
        if !row.creates { announce(goroutine, on: thread) }
        announceProc(proc, on: thread)
        guard how.deviation != .none || row.fits(threads[thread], goroutines[goroutine], procs[proc]) else { return }
        now += how.delta
        append(row.type, to: thread)
        for argument in row.arguments {
            varint(value(of: argument, goroutine, proc, thread, how), to: thread)
        }
        apply(row.effect, thread, goroutine, proc)
    }

    /// The goroutine an event is about: the thread's own, or for events about another one the first from the
    /// step's on that the event fits.
    private func subject(of row: WireRow, on thread: Int, _ how: RecipeStep) -> Int {
        if !row.isAboutAnother, let own = threads[thread].goroutine { return own }
        let from = how.index % goroutines.count
        let order = (0..<goroutines.count).map { (from + $0) % goroutines.count }
        return order.first { row.state == nil || goroutines[$0].state == row.state } ?? from
    }

    private func value(
        of argument: WireArgument, _ goroutine: Int, _ proc: Int, _ thread: Int, _ how: RecipeStep
    ) -> UInt64 {
        let wrong: UInt64 = how.deviation == .wrongSequence ? 1 : 0
        switch argument {
        case .goroutine: return goroutines[goroutine].id
        case .goroutineSequence: return goroutines[goroutine].sequence + wrong
        case .proc: return procs[proc].id
        case .procSequence: return procs[proc].sequence + wrong
        case .gcSequence: return gcSequence + 1 + wrong
        case .holder: return procs[proc].thread.map { threads[$0].id } ?? UInt64(100 + how.index % 4)
        case .thread: return threads[how.deviation == .wrongThread ? how.index % threads.count : thread].id
        case .goroutineStatus: return UInt64(goroutines[goroutine].state.rawValue) + wrong
        case .procStatus: return UInt64(procs[proc].state.rawValue) + wrong
        case .task: return UInt64(how.index)
        case .string, .stack: return UInt64(how.index) + (how.deviation == .wrongThread ? 1 << 40 : 0)
        case .value: return how.deviation == .none ? UInt64(how.index) << 20 : .max
        }
    }

    private mutating func apply(_ effect: WireEffect, _ thread: Int, _ goroutine: Int, _ proc: Int) {
        switch effect {
        case .none: break
        case .goroutine(let state, let bind, let isSequenced):
            goroutines[goroutine].state = state
            if isSequenced { goroutines[goroutine].sequence += 1 }
            if state == .none { goroutines[goroutine].generation = 0 }
            if let bind { threads[thread].goroutine = bind ? goroutine : nil }
        case .create(let state):
            goroutines[goroutine] = GoroutineModel(id: goroutines[goroutine].id, state: state, generation: generation)
            if state == .syscall { threads[thread].goroutine = goroutine }
        case .procStart:
            procs[proc].state = .running
            procs[proc].sequence += 1
            hold(proc, by: thread)
        case .procIdle(let isSequenced):
            procs[proc].state = .idle
            if isSequenced { procs[proc].sequence += 1 }
            hold(proc, by: nil)
        case .syscall(let begins):
            goroutines[goroutine].state = begins ? .syscall : .running
            procs[proc].state = begins ? .syscall : .running
            if begins { procs[proc].sequence += 1 }
        case .switchTo(let state):
            if let own = threads[thread].goroutine { goroutines[own].state = state }
            goroutines[goroutine].state = .running
            goroutines[goroutine].sequence += 1
            threads[thread].goroutine = goroutine
        case .collection: gcSequence += 1
        }
    }

    private mutating func hold(_ proc: Int, by thread: Int?) {
        if let holder = procs[proc].thread { threads[holder].proc = nil }
        procs[proc].thread = thread
        if let thread { threads[thread].proc = proc }
    }

    /// Writes a goroutine's status where it is first mentioned in a generation. In the first one goroutines
    /// appear in a state that suits the thread: running if nothing runs there.
    private mutating func announce(_ index: Int, on thread: Int) {
        guard goroutines[index].generation != generation else { return }
        let isNew = goroutines[index].generation == 0
        if isNew, generation > 1 { return }
        if isNew {
            let runs = threads[thread].goroutine == nil && threads[thread].proc != nil
            goroutines[index].state = runs ? .running : index.isMultiple(of: 2) ? .waiting : .runnable
            if runs { threads[thread].goroutine = index }
        }
        goroutines[index].generation = generation
        goroutines[index].sequence = 1
        append(25, to: thread)
        let holder = threads.firstIndex { $0.goroutine == index }
        varint(goroutines[index].id, to: thread)
        varint(holder.map { threads[$0].id } ?? .max, to: thread)
        varint(UInt64(goroutines[index].state.rawValue), to: thread)
    }

    private mutating func announceProc(_ index: Int, on thread: Int) {
        guard procs[index].generation != generation else { return }
        if procs[index].generation == 0 {
            procs[index].state = threads[thread].proc == nil ? .running : .idle
            if procs[index].state == .running { hold(index, by: thread) }
        }
        procs[index].generation = generation
        procs[index].sequence = 1
        append(13, to: thread)
        varint(procs[index].id, to: thread)
        varint(UInt64(procs[index].state.rawValue), to: thread)
    }

    // MARK: - Batches

    /// A timed event's type and the ticks since the thread's last one.
    private mutating func append(_ type: UInt8, to thread: Int) {
        if threads[thread].payload.isEmpty { (threads[thread].start, threads[thread].last) = (now, now) }
        threads[thread].payload.append(type)
        varint(now &- threads[thread].last, to: thread)
        threads[thread].last = now
    }

    private mutating func varint(_ value: UInt64, to thread: Int) {
        Self.varint(value, &threads[thread].payload)
        if threads[thread].payload.count > 60_000 { flush(thread) }
    }

    private mutating func flush(_ thread: Int) {
        guard !threads[thread].payload.isEmpty else { return }
        batch(threads[thread].id, threads[thread].start, threads[thread].payload)
        threads[thread].payload = []
    }

    private mutating func batch(_ thread: UInt64, _ time: UInt64, _ payload: [UInt8], experiment: UInt8? = nil) {
        trace += experiment.map { [49, $0] } ?? [1]
        for field in [generation, thread, time, UInt64(payload.count)] { Self.varint(field, &trace) }
        trace += payload
    }

    private static func varint(_ value: UInt64, _ bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    // MARK: - The rest of a generation

    /// Writes clocks, tables and the end. Where the step deviates, its lower bits leave things out, or damage the
    /// tables, pass over a number, or begin another trace.
    private mutating func endGeneration(_ how: RecipeStep) {
        let omitted = how.deviation == .wrongSequence ? how.bits & 31 : 0
        let damage = how.deviation == .wrongThread ? how.bits & 31 : 0
        for thread in threads.indices { flush(thread) }
        if !samples.isEmpty { batch(.max, now, [6] + samples) }
        samples = []
        if omitted & 1 == 0 { batch(.max, now, clocks(hasSnapshot: omitted & 2 == 0)) }
        if omitted & 4 == 0 { batch(.max, now, strings(damaged: damage & 4 != 0)) }
        if omitted & 8 == 0 { batch(.max, now, stacks(damaged: damage & 4 != 0)) }
        if version >= 26, omitted & 16 == 0 { trace.append(52) }
        generation += damage & 2 == 0 ? 1 : 2
        if damage & 24 == 24 { beginTrace() }
    }

    /// Another trace in the same file.
    private mutating func beginTrace() {
        trace += Self.header(version)
        generation = 1
        for index in goroutines.indices { goroutines[index].generation = 0 }
        for index in procs.indices { procs[index].generation = 0 }
    }

    private func clocks(hasSnapshot: Bool) -> [UInt8] {
        var bytes: [UInt8] = version >= 25 ? [50] : []
        bytes.append(8)
        Self.varint(15_625_000, &bytes)
        guard version >= 25, hasSnapshot else { return bytes }
        bytes.append(51)
        for field in [0, now &* 64, 1_700_000_000, 5] { Self.varint(field, &bytes) }
        return bytes
    }

    private func strings(damaged: Bool) -> [UInt8] {
        var bytes: [UInt8] = [4]
        let texts = [
            "main.main", "=cmd \"quoted\", \\", "chan receive", "/src/main.go", "\u{1b}[1m\r\n\t", "λ→\u{1f600}",
        ]
        for (index, text) in texts.enumerated() {
            bytes += [5, UInt8(index + 1), UInt8(text.utf8.count)] + Array(text.utf8)
        }
        bytes += [5, 7, 3, 0xff, 0xc2, 0x00]
        return damaged ? bytes.dropLast(2) + [5, 1, 0x80] : bytes
    }

    private func stacks(damaged: Bool) -> [UInt8] {
        var bytes: [UInt8] = [2]
        for id in UInt8(1)...6 {
            bytes += [3, id, id % 4]
            for frame in 0..<id % 4 { bytes += [id &* 16 &+ frame, 1 + frame % 7, 4, id] }
        }
        return damaged ? bytes + [3, 1, 0xff] : bytes
    }

    private mutating func sample(_ how: RecipeStep) {
        samples.append(7)
        let proc: UInt64 = how.deviation == .none ? UInt64(how.index % 4) : .max
        for field in [now, UInt64(100 + how.index % 4), proc, UInt64(how.index), UInt64(how.index)] {
            Self.varint(field, &samples)
        }
    }

    private mutating func experimentalBatch(_ how: RecipeStep) {
        batch(100, now, [UInt8](repeating: how.bits, count: how.index), experiment: how.deviation == .none ? 1 : 7)
    }

    // MARK: - What is wrong

    /// Bytes as they are: into a thread's batch, or between batches.
    private mutating func raw(_ thread: Int, _ how: RecipeStep) {
        guard how.deviation != .none else { return }
        let bytes = (0..<how.index + 1).map { _ in steps.next() }
        if how.deviation == .wrongThread { trace += bytes } else { threads[thread].payload += bytes }
    }

    /// The clock jumps, forward far or a little back.
    private mutating func time(_ how: RecipeStep) {
        switch how.deviation {
        case .none: now += UInt64(how.index) << 16
        case .wrongSequence: now = max(1000, now) - UInt64(how.index) * 16
        case .wrongThread: now = now &+ 1 << UInt64(how.index * 8 + 7)
        }
    }
}
