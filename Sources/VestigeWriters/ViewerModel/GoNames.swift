import VestigeCore

/// What viewers' writers know of the runtime by its names.
enum GoNames {
    /// True for functions of package runtime and those below it, except the one that calls main.
    static func isRuntime(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        (function.starts(with: "runtime.".utf8) || function.starts(with: "runtime/".utf8))
            && !function.elementsEqual("runtime.main".utf8)
    }

    /// Of the name of a range.
    static func isStopTheWorld(_ range: UnsafeBufferPointer<UInt8>) -> Bool {
        range.starts(with: "stop-the-world".utf8)
    }

    /// Of the reason for which a goroutine waits: a send, a receive, or a select of them.
    static func isOnChannel(_ reason: UnsafeBufferPointer<UInt8>) -> Bool {
        reason.starts(with: "chan ".utf8) || reason.elementsEqual("select".utf8)
    }

    /// A metric that viewers show under a shorter name.
    struct KnownMetric {
        enum Unit { case bytes, procs }
        let title: StaticString
        let unit: Unit

        fileprivate init(_ title: StaticString, _ unit: Unit) { (self.title, self.unit) = (title, unit) }
    }

    /// Metrics of the execution tracer by their names in package runtime/metrics.
    static func knownMetric(_ name: UnsafeBufferPointer<UInt8>) -> KnownMetric? {
        if name.elementsEqual("/memory/classes/heap/objects:bytes".utf8) { return KnownMetric("heap live", .bytes) }
        if name.elementsEqual("/gc/heap/goal:bytes".utf8) { return KnownMetric("heap goal", .bytes) }
        if name.elementsEqual("/sched/gomaxprocs:threads".utf8) { return KnownMetric("GOMAXPROCS", .procs) }
        return nil
    }
}
