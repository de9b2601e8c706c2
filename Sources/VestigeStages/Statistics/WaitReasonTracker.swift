import VestigeCore

/// A goroutine's life with what it mainly waited for.
public struct GoroutineSummary: BitwiseCopyable, Sendable {
    public var life: GoroutineLife
    /// The reason for which it waited longest, and how long; empty and 0 if it never waited.
    public var mainReason: StringID
    public var mainReasonNanoseconds: Int64
}

/// Adds up what each goroutine waits for, by reason, as long as it lives.
public final class WaitReasonTracker {
    /// How long a goroutine waited for one reason.
    private struct Node {
        var reason: StringID
        var nanoseconds: Int64
        /// The next of the same goroutine; 0 is none.
        var next: UInt32
    }

    private struct Head: PagedElement {
        var isOccupied = false
        var first: UInt32 = 0
        static var vacant: Head { Head() }
    }

    private var heads = PagedTable<Head>()
    /// Node 0 is never used, so that 0 can mean none.
    private var nodes = [Node(reason: .empty, nanoseconds: 0, next: 0)]
    private var firstFree: UInt32 = 0

    public init() {}

    /// Takes what a stage ended in one batch, and hands over the goroutines whose lives ended in it.
    public func add(
        _ spans: UnsafeBufferPointer<LifelineSpan>, _ lives: [GoroutineLife], _ body: (GoroutineSummary) -> Void
    ) {
        var position = 0
        for life in lives {
            // A number may be used again in the same batch: the spans of the next life end later.
            while position < spans.count, spans[position].endNanoseconds <= life.lastNanoseconds {
                add(spans[position])
                position += 1
            }
            body(end(life))
        }
        while position < spans.count {
            add(spans[position])
            position += 1
        }
    }

    private func add(_ span: LifelineSpan) {
        guard span.kind == .goroutineState, span.state == .waiting else { return }
        let head =
            heads.find(span.goroutine.rawValue)
            ?? heads.insert(span.goroutine.rawValue, Head(isOccupied: true, first: 0))
        var node = head.pointee.first
        while node != 0, nodes[Int(node)].reason != span.name { node = nodes[Int(node)].next }
        if node == 0 {
            node = allocate(Node(reason: span.name, nanoseconds: 0, next: head.pointee.first))
            head.pointee.first = node
        }
        nodes[Int(node)].nanoseconds = nodes[Int(node)].nanoseconds.addingSaturating(span.durationNanoseconds)
    }

    private func end(_ life: GoroutineLife) -> GoroutineSummary {
        var summary = GoroutineSummary(life: life, mainReason: .empty, mainReasonNanoseconds: 0)
        guard let head = heads.find(life.goroutine.rawValue) else { return summary }
        var node = head.pointee.first
        while node != 0 {
            let (current, next) = (nodes[Int(node)], nodes[Int(node)].next)
            if current.nanoseconds > summary.mainReasonNanoseconds || summary.mainReason == .empty {
                (summary.mainReason, summary.mainReasonNanoseconds) = (current.reason, current.nanoseconds)
            }
            nodes[Int(node)].next = firstFree
            firstFree = node
            node = next
        }
        heads.remove(life.goroutine.rawValue)
        return summary
    }

    private func allocate(_ node: Node) -> UInt32 {
        guard firstFree != 0 else {
            nodes.append(node)
            return UInt32(truncatingIfNeeded: nodes.count - 1)
        }
        let position = firstFree
        firstFree = nodes[Int(position)].next
        nodes[Int(position)] = node
        return position
    }
}
