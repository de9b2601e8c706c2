import VestigeCore

/// How goroutines come into the recording, and how they leave it.
extension GhostTracker {
    @inline(never)
    mutating func discover(
        _ event: UnsafePointer<Event>, _ from: GoroutineState, _ to: GoroutineState, _ tables: TraceTables
    ) {
        guard to != .notExist, to != .undetermined else { return }
        var trail = GoroutineTrail(event.pointee.subjectGoroutine)
        trail.state = to
        trail.source = event.pointee.source
        trail.stack = event.pointee.transitionStack
        trail.since = event.pointee.timeNanoseconds
        if to == .waiting {
            trail.reason = event.pointee.name
            trail.words = words.answer(trail.reason, tables)
        }
        let root = tables.stacks.rootFrame(event.pointee.transitionStack)?.function ?? .empty
        if from == .notExist {
            create(&trail, event, root, tables)
        } else {
            if from == .undetermined {
                trail.flags.insert(.beganBefore)
                trail.since = event.pointee.isSynthetic ? event.pointee.sinceNanoseconds : firstNanoseconds
            }
            trail.created = trail.since
            trail.startFunction = root
            trail.site = sites.number(stack: .absent, function: root, isOlder: true, tables)
            sites.appear(trail.site)
        }
        trails.insert(trail.number.rawValue, trail)
    }

    private mutating func create(
        _ trail: inout GoroutineTrail, _ event: UnsafePointer<Event>, _ root: StringID, _ tables: TraceTables
    ) {
        let (creator, stack, time) = (event.pointee.goroutine, event.pointee.stack, event.pointee.timeNanoseconds)
        trail.flags.insert(.isCreated)
        trail.created = time
        trail.creator = creator
        trail.creationStack = stack
        trail.startFunction = root
        trail.site = sites.number(stack: stack, function: root, isOlder: false, tables)
        sites.create(trail.site, creator, time)
        guard let parent = trails.find(creator.rawValue) else { return }
        // The collector's workers are no work of whoever happens to start them.
        if !sites.sites[Int(trail.site)].isSystem {
            parent.pointee.childrenCreated &+= 1
            parent.pointee.lastChildCreated = time
        }
        parent.pointee.stack = stack
        if parent.pointee.site == 0 { findSite(parent, stack, tables) }
        trail.scope = scopes.current(&parent.pointee.openScope, inherited: parent.pointee.scope)
        guard trail.scope != 0 else { return }
        scopes.addChild(trail.scope)
        sites.note(scope: scopes[trail.scope].serial, at: trail.site)
    }

    /// The start function of a goroutine that is older than the recording, once a stack tells it.
    @inline(never)
    mutating func findSite(_ trail: Trail, _ stack: StackID, _ tables: TraceTables) {
        guard let root = tables.stacks.rootFrame(stack)?.function, root != .empty else { return }
        sites.leave(0)
        trail.pointee.startFunction = root
        trail.pointee.site = sites.number(stack: .absent, function: root, isOlder: true, tables)
        sites.appear(trail.pointee.site)
    }

    @inline(never)
    mutating func end(_ trail: Trail, _ event: UnsafePointer<Event>, _ tables: TraceTables) {
        let time = event.pointee.timeNanoseconds
        collect(trail.pointee, at: time, hasEnded: true, tables)
        sites.end(trail.pointee.site)
        let number = trail.pointee.number
        ended.add(
            EndedGoroutine(number: number, creator: trail.pointee.creator, ended: time, site: trail.pointee.site))
        if !sites.sites[Int(trail.pointee.site)].isSystem, let parent = trails.find(trail.pointee.creator.rawValue) {
            parent.pointee.childrenEnded &+= 1
        }
        scopes.endAll(&trail.pointee.openScope, time)
        drop(trail)
    }

    mutating func drop(_ trail: Trail) {
        scopes.removeChild(trail.pointee.scope)
        trails.remove(trail.pointee.number.rawValue)
    }
}
