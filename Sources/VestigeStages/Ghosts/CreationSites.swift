import VestigeCore

/// What has happened at one place where goroutines are created.
struct CreationSite: BitwiseCopyable {
    /// The creator's stack; absent where it is not known, and the start function alone tells.
    var stack: StackID = .absent
    var startFunction: StringID = .empty
    var isSystem = false
    /// True if a function of Go's library starts them, for itself.
    var isOfLibrary = false
    /// True if they were there before the recording, so that nothing is known of their creation.
    var isOlder = false
    var created: UInt64 = 0
    var ended: UInt64 = 0
    var alive: Int64 = 0
    var firstCreated: Int64 = .max
    var lastCreated: Int64 = .min
    var longestGap: Int64 = 0
    var lastCreator: GoroutineID = .absent
    /// In how many tasks or regions goroutines were created there, as far as one followed the other.
    var scopeCount: UInt32 = 0
    var lastScope: UInt32 = 0

    mutating func add(_ creator: GoroutineID, _ time: Int64) {
        if created > 0 { longestGap = max(longestGap, time &- lastCreated) }
        created &+= 1
        firstCreated = min(firstCreated, time)
        lastCreated = time
        lastCreator = creator
    }

    /// True if goroutines come there again and again, and not all at once.
    func isRenewing(in duration: Int64) -> Bool {
        created >= 4 && lastCreated &- firstCreated >= max(1_000_000, duration / 20)
    }
}

/// Where goroutines are created, by number; 0 is that of goroutines of which nothing is known.
///
/// How many of each were alive is kept at `sampleCount` moments at most, evenly spread: when there are more, every
/// second one goes, and the distance doubles.
struct CreationSites: ~Copyable {
    private struct Key: Hashable {
        var stack: StackID
        var function: StringID
    }

    static let sampleCount = 32

    private(set) var sites: [CreationSite] = [CreationSite()]
    private var numbers: [Key: UInt32] = [:]
    /// By stack: the number of its site plus one, for the start function that it was looked up with last.
    private var known: [UInt32] = []
    /// `sampleCount` of each site.
    private(set) var samples = [UInt32](repeating: 0, count: sampleCount)
    private(set) var takenCount = 0
    private(set) var nextSample = Int64.min
    private var distance: Int64 = 1_000_000

    mutating func number(stack: StackID, function: StringID, isOlder: Bool, _ tables: TraceTables) -> UInt32 {
        let index = Int(stack.rawValue)
        if stack != .absent, index < known.count, known[index] > 0,
            sites[Int(known[index] - 1)].startFunction == function
        {
            return known[index] - 1
        }
        return find(stack, function, isOlder, tables)
    }

    @inline(never)
    private mutating func find(
        _ stack: StackID, _ function: StringID, _ isOlder: Bool, _ tables: TraceTables
    ) -> UInt32 {
        guard stack != .absent || function != .empty else { return 0 }
        let key = Key(stack: stack, function: function)
        let number = numbers[key] ?? add(key, isOlder, tables)
        let index = Int(stack.rawValue)
        if stack != .absent, index < tables.stacks.count {
            if index >= known.count {
                known.append(contentsOf: repeatElement(0, count: max(tables.stacks.count, index + 1) - known.count))
            }
            known[index] = number + 1
        }
        return number
    }

    private mutating func add(_ key: Key, _ isOlder: Bool, _ tables: TraceTables) -> UInt32 {
        var site = CreationSite(stack: key.stack, startFunction: key.function)
        site.isOlder = isOlder
        site.isSystem = GoLibrary.isRuntime(tables.strings.bytes(key.function))
        site.isOfLibrary = GoLibrary.hasStarted(at: key.stack, tables)
        sites.append(site)
        samples.append(contentsOf: repeatElement(0, count: Self.sampleCount))
        numbers[key] = UInt32(sites.count - 1)
        return UInt32(sites.count - 1)
    }

    mutating func create(_ site: UInt32, _ creator: GoroutineID, _ time: Int64) {
        sites[Int(site)].add(creator, time)
        sites[Int(site)].alive += 1
    }

    mutating func note(scope serial: UInt32, at site: UInt32) {
        guard sites[Int(site)].lastScope != serial else { return }
        sites[Int(site)].lastScope = serial
        sites[Int(site)].scopeCount &+= 1
    }

    mutating func appear(_ site: UInt32) { sites[Int(site)].alive += 1 }
    mutating func end(_ site: UInt32) {
        sites[Int(site)].ended &+= 1
        sites[Int(site)].alive -= 1
    }
    mutating func leave(_ site: UInt32) { sites[Int(site)].alive -= 1 }

    /// Notes how many are alive, where it is time for that.
    mutating func tick(_ time: Int64) {
        if nextSample == .min { nextSample = time.addingSaturating(distance) }
        guard time >= nextSample else { return }
        // A pause of the recording is one sample: nothing happens in it.
        if takenCount == Self.sampleCount { halve() }
        for index in sites.indices {
            samples[index * Self.sampleCount + takenCount] = UInt32(clamping: sites[index].alive)
        }
        takenCount += 1
        nextSample = time.addingSaturating(distance)
    }

    private mutating func halve() {
        for index in sites.indices {
            let first = index * Self.sampleCount
            for place in 0..<Self.sampleCount / 2 { samples[first + place] = samples[first + 2 * place + 1] }
        }
        takenCount = Self.sampleCount / 2
        distance = distance &* 2
    }

    /// How many goroutines of a site were alive, from the recording's begin to its end.
    func growth(of site: UInt32) -> ArraySlice<UInt32> {
        let first = Int(site) * Self.sampleCount
        return samples[first..<first + takenCount]
    }
}
