import VestigeCore

/// A task or region in which goroutines may be started.
struct StartScope: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable { case region, task }

    var kind = Kind.region
    var isOpen = false
    var name: StringID = .empty
    var task: TaskID = .absent
    var goroutine: GoroutineID = .absent
    var ended: Int64 = 0
    /// Tells scopes apart that had the same place one after the other.
    var serial: UInt32 = 0
    /// The next scope outwards on the same goroutine; of a free one, the next free one.
    var outer: UInt32 = 0
    /// Living goroutines that were started in it, one for being open and one for being in its goroutine's list.
    var references: UInt32 = 0
}

/// The number of a task's scope.
struct TaskScope: PagedElement {
    var isOccupied = false
    var scope: UInt32 = 0
    static var vacant: TaskScope { TaskScope() }
}

/// The scopes that are open, and those that have ended before all goroutines that were started in them.
struct StartScopes: ~Copyable {
    private var scopes: UnsafeMutablePointer<StartScope>
    private var count = 1
    private var capacity = 64
    private var firstFree: UInt32 = 0
    private var serial: UInt32 = 0
    private var tasks = PagedTable<TaskScope>()
    /// How far a list is searched: regions that are begun in a loop and never ended must not make it slow.
    private static let searchLimit = 64

    init() {
        scopes = .allocate(capacity: capacity)
        scopes.initialize(to: StartScope())
    }

    deinit { scopes.deallocate() }

    subscript(_ number: UInt32) -> StartScope { scopes[Int(number)] }

    /// - Parameter open: the goroutine's innermost open scope, which becomes the new one.
    mutating func begin(_ kind: StartScope.Kind, _ event: UnsafePointer<Event>, _ open: inout UInt32) {
        var scope = StartScope()
        scope.kind = kind
        scope.isOpen = true
        scope.name = event.pointee.name
        scope.task = event.pointee.task
        scope.goroutine = event.pointee.goroutine
        scope.outer = open
        scope.references = 2
        serial &+= 1
        scope.serial = serial
        open = allocate(scope)
        guard kind == .task else { return }
        let id = Int64(bitPattern: scope.task.rawValue)
        if let known = tasks.find(id) {
            // The id begins again: the end of the task that had it is lost.
            close(known.pointee.scope, event.pointee.timeNanoseconds)
            known.pointee.scope = open
        } else {
            tasks.insert(id, TaskScope(isOccupied: true, scope: open))
        }
    }

    /// Ends the innermost open region of this name and task.
    mutating func endRegion(_ event: UnsafePointer<Event>, _ open: inout UInt32) {
        var (position, inner) = (open, UInt32(0))
        for _ in 0..<Self.searchLimit where position != 0 {
            let scope = scopes[Int(position)]
            if scope.kind == .region, scope.name == event.pointee.name, scope.task == event.pointee.task {
                if inner == 0 { open = scope.outer } else { scopes[Int(inner)].outer = scope.outer }
                close(position, event.pointee.timeNanoseconds)
                return release(position)
            }
            (position, inner) = (scope.outer, position)
        }
    }

    /// Ends a task, which any goroutine may do: its owner's list lets go of it when it is looked at next.
    mutating func endTask(_ event: UnsafePointer<Event>) {
        let id = Int64(bitPattern: event.pointee.task.rawValue)
        guard let known = tasks.find(id) else { return }
        let position = known.pointee.scope
        tasks.remove(id)
        close(position, event.pointee.timeNanoseconds)
    }

    /// The scope in which a goroutine starts another: its innermost open task, else its outermost open region, else
    /// the one in which it was started itself.
    mutating func current(_ open: inout UInt32, inherited: UInt32) -> UInt32 {
        while open != 0, !scopes[Int(open)].isOpen { unlinkFirst(&open) }
        var (position, outermost) = (open, UInt32(0))
        for _ in 0..<Self.searchLimit where position != 0 {
            let scope = scopes[Int(position)]
            if scope.isOpen {
                if scope.kind == .task { return position }
                if scope.task != .background, let task = tasks.find(Int64(bitPattern: scope.task.rawValue)) {
                    return task.pointee.scope
                }
                outermost = position
            }
            position = scope.outer
        }
        return outermost != 0 ? outermost : inherited
    }

    mutating func addChild(_ number: UInt32) { if number != 0 { scopes[Int(number)].references &+= 1 } }
    mutating func removeChild(_ number: UInt32) { if number != 0 { release(number) } }

    /// A goroutine has ended, and with it its regions. A task goes on: another goroutine may end it.
    mutating func endAll(_ open: inout UInt32, _ time: Int64) {
        while open != 0 {
            if scopes[Int(open)].kind == .region { close(open, time) }
            unlinkFirst(&open)
        }
    }

    private mutating func unlinkFirst(_ open: inout UInt32) {
        let position = open
        open = scopes[Int(position)].outer
        release(position)
    }

    private mutating func close(_ position: UInt32, _ time: Int64) {
        guard scopes[Int(position)].isOpen else { return }
        scopes[Int(position)].isOpen = false
        scopes[Int(position)].ended = time
        release(position)
    }

    private mutating func release(_ position: UInt32) {
        scopes[Int(position)].references &-= 1
        guard scopes[Int(position)].references == 0 else { return }
        scopes[Int(position)].outer = firstFree
        firstFree = position
    }

    private mutating func allocate(_ scope: StartScope) -> UInt32 {
        if firstFree != 0 {
            let position = firstFree
            firstFree = scopes[Int(position)].outer
            scopes[Int(position)] = scope
            return position
        }
        if count == capacity { grow() }
        (scopes + count).initialize(to: scope)
        count += 1
        return UInt32(truncatingIfNeeded: count - 1)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<StartScope>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: scopes, count: count)
        scopes.deallocate()
        (scopes, capacity) = (larger, capacity * 2)
    }
}
