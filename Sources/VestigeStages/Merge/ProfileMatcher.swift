import VestigeCore

/// Compares a goroutine profile, which counts alike stacks and has no goroutine numbers, with the
/// goroutines of a recording at one moment.
struct ProfileMatcher {
    /// The innermost function of the program in a stack, without the brackets of type arguments. Above it each
    /// tool shows other frames of the standard library, and below it wrappers are missing in one of them.
    private typealias Shape = [UInt8]

    private var counts: [Shape: UInt64] = [:]
    private(set) var goroutineCount: UInt64 = 0

    init(_ snapshot: ObservedSnapshot, _ tables: TraceTables) {
        for event in snapshot.events where event.kind == .observed {
            goroutineCount &+= event.observedCount
            guard let shape = Self.shape(event.stack, tables) else { continue }
            counts[shape, default: 0] &+= event.observedCount
        }
    }

    func fit(
        _ place: Fit.Place, from start: Int64, to end: Int64, _ goroutines: inout TracedGoroutines,
        _ tables: TraceTables
    ) -> Fit {
        var rest = counts
        var (matches, missing) = (0, 0)
        goroutines.forEach { _, goroutine in
            // Where a goroutine that runs is now, the recording does not say.
            guard goroutine.isOfProgram, goroutine.state == .waiting,
                let shape = Self.shape(goroutine.stack, tables)
            else { return }
            if let count = rest[shape], count > 0 {
                rest[shape] = count - 1
                matches += 1
            } else {
                missing += 1
            }
        }
        let difference = abs(goroutines.programCount - Int(clamping: goroutineCount))
        return Fit(
            place: place, startNanoseconds: start, endNanoseconds: end, matchCount: matches,
            mismatchCount: difference, missingCount: missing)
    }

    /// A place at which the recording has more goroutines than the profile.
    struct Surplus {
        let place: String
        let recording: UInt64
        let observer: UInt64
    }

    func surplus(of goroutines: [TracedGoroutine], _ tables: TraceTables) -> [Surplus] {
        var traced: [Shape: UInt64] = [:]
        for goroutine in goroutines where goroutine.state == .waiting {
            if let shape = Self.shape(goroutine.stack, tables) { traced[shape, default: 0] += 1 }
        }
        return traced.compactMap { shape, count in
            let known = counts[shape] ?? 0
            let place = String(decoding: shape, as: UTF8.self)
            return count > known ? Surplus(place: place, recording: count, observer: known) : nil
        }.sorted { $0.place < $1.place }
    }

    private static func shape(_ stack: StackID, _ tables: TraceTables) -> Shape? {
        for frame in tables.stacks.frames(stack) {
            let name = StackComparison.plainName(tables.strings.bytes(frame.function))
            if !isOfLibrary(name) { return name }
        }
        return nil
    }

    /// The packages within which goroutines are parked.
    private static func isOfLibrary(_ name: [UInt8]) -> Bool {
        ["runtime.", "runtime/", "internal/", "sync.", "syscall.", "time.", "os.", "net.", "iter."].contains {
            name.starts(with: $0.utf8)
        } && !name.elementsEqual("runtime.main".utf8)
    }
}
