import VestigeCore

/// Compares a goroutine profile, which counts alike stacks and has no goroutine numbers, with the
/// goroutines of a recording at one moment.
struct ProfileMatcher {
    /// The innermost function of the program in a stack, without the brackets of type arguments. Above it each
    /// tool shows other frames of the standard library, and below it wrappers are missing in one of them.
    private typealias Shape = [UInt8]

    private var counts: [Shape: UInt64] = [:]
    private(set) var goroutineCount: UInt64 = 0
    /// True if it has only goroutines that are proved to leak.
    let isOfLeaks: Bool

    init(_ snapshot: ObservedSnapshot, _ tables: TraceTables) {
        isOfLeaks = snapshot.isOfLeaks(tables)
        for event in snapshot.events where event.kind == .observed {
            goroutineCount &+= event.observedCount
            guard let shape = Self.shape(event.stack, tables) else { continue }
            counts[shape, default: 0] &+= event.observedCount
        }
    }

    /// - Parameter knowsAll: whether the recording has mentioned every goroutine by now.
    func fit(
        _ place: Fit.Place, from start: Int64, to end: Int64, _ goroutines: inout TracedGoroutines, knowsAll: Bool,
        _ tables: TraceTables
    ) -> Fit {
        var rest = counts
        var (matches, missing, unknown) = (0, 0, 0)
        goroutines.forEach { _, goroutine in
            if !goroutine.isOfProgram, goroutine.stack == .absent { unknown += 1 }
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
        if isOfLeaks {
            return Fit(
                place: place, startNanoseconds: start, endNanoseconds: end, matchCount: matches,
                mismatchCount: Int(clamping: rest.values.reduce(0, &+)), missingCount: 0)
        }
        let surplus = Int(clamping: goroutineCount) - goroutines.programCount
        let difference = surplus < 0 ? -surplus : knowsAll ? max(0, surplus - unknown) : 0
        return Fit(
            place: place, startNanoseconds: start, endNanoseconds: end, matchCount: matches,
            mismatchCount: difference, missingCount: missing)
    }

    /// A place at which one of the two has more goroutines than the other.
    struct Surplus {
        let place: String
        let recording: UInt64
        let observer: UInt64
    }

    /// Places at which more goroutines of the recording wait than the profile has; for a profile of leaks, fewer.
    func surplus(of goroutines: [TracedGoroutine], _ tables: TraceTables) -> [Surplus] {
        var traced: [Shape: UInt64] = [:]
        for goroutine in goroutines where goroutine.state == .waiting {
            if let shape = Self.shape(goroutine.stack, tables) { traced[shape, default: 0] += 1 }
        }
        return (isOfLeaks ? counts : traced).keys.compactMap { shape in
            let (recording, observer) = (traced[shape] ?? 0, counts[shape] ?? 0)
            guard isOfLeaks ? recording < observer : recording > observer else { return nil }
            return Surplus(
                place: String(decoding: shape, as: UTF8.self), recording: recording, observer: observer)
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
