import VestigeCore

/// How well a snapshot fits a moment of a recording, and what the recording says there.
public struct Fit {
    /// What in the recording points to the moment.
    public enum Place: Int, Comparable, Sendable {
        /// Nothing but that the goroutines are in the states that the observer saw.
        case anyMoment = 0
        /// The recording's end: a dump that a dying process wrote.
        case end = 1
        /// A silence of all threads: a debugger held them.
        case silence = 2
        /// The runtime stopped the world in order to write a dump.
        case stopTheWorld = 3
        /// It tells when it was taken, the recording knows the wall clock, and nothing else points to a moment.
        case wallClock = 4

        public static func < (a: Place, b: Place) -> Bool { a.rawValue < b.rawValue }
    }

    public internal(set) var place: Place
    /// The moment lies between these two, on the recording's clock.
    public internal(set) var startNanoseconds: Int64
    public internal(set) var endNanoseconds: Int64
    /// Goroutines in the state that the observer saw.
    public let matchCount: Int
    /// Goroutines that the recording knows there, in another state or with another reason.
    public let mismatchCount: Int
    /// The program's goroutines that the recording knows there and the observer did not see.
    public let missingCount: Int
    /// How many frames, from the outermost, the goroutines that run have at the same lines: the same
    /// goroutines may be in the same states more than once, and the caller's line tells.
    var rootDepth = 0
    /// How far it is from when the snapshot says that it was taken; 0 if one of the two does not know the wall clock.
    var clockDistance: UInt64 = 0
    /// Other places that fit as well, and the moment of one of them.
    public internal(set) var rivalCount = 0
    public internal(set) var rivalNanoseconds: Int64?

    /// Whether both are of one program.
    public internal(set) var evidence = PlaceEvidence()

    public var momentNanoseconds: Int64 {
        startNanoseconds &+ (endNanoseconds &- startNanoseconds) / 2
    }
    private var defectCount: Int { mismatchCount + missingCount }
    /// What the states of goroutines say; the lower, the better. A contradiction weighs more than a goroutine
    /// that the recording has not mentioned yet.
    var stateCost: Int { defectCount * Self.defectCost - matchCount }
    static let defectCost = 8
    /// A caller at the same line counts as much as a goroutine in the same state.
    var cost: Int { stateCost - rootDepth }
    /// The share of goroutines that both know and that agree, from 0 to 1.
    public var agreement: Double {
        let total = matchCount + defectCount
        return total == 0 ? 0 : Double(matchCount) / Double(total)
    }

    /// The longer a silence, the less likely is it the program's own: every doubling counts as much as a goroutine
    /// in the same state.
    private var silenceGain: Int {
        guard place == .silence else { return 0 }
        let milliseconds = UInt64(clamping: endNanoseconds.subtractingReportingOverflow(startNanoseconds).partialValue)
        return 64 - (milliseconds / 1_000_000).leadingZeroBitCount
    }

    /// Takes note of another place for the same snapshot.
    mutating func compare(with other: Fit) {
        guard place == other.place, cost == other.cost, clockDistance == other.clockDistance,
            abs(silenceGain - other.silenceGain) < 4
        else { return }
        rivalCount += 1 + other.rivalCount
        rivalNanoseconds = rivalNanoseconds ?? other.momentNanoseconds
    }

    /// True if this is the better place for a snapshot than another one.
    func isBetter(than other: Fit?) -> Bool {
        guard let other else { return true }
        return (cost - silenceGain, clockDistance) < (other.cost - other.silenceGain, other.clockDistance)
    }
}
