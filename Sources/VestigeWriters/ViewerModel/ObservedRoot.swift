import VestigeCore

/// The function that a goroutine was started with, as an observed stack tells.
enum ObservedRoot {
    /// The outermost frame but for `runtime.goexit`, which some observers show below every goroutine.
    static func function(_ stack: StackID, _ tables: TraceTables) -> StringID {
        var function = StringID.empty
        for frame in tables.stacks.frames(stack) {
            if frame.function == .empty || tables.strings.bytes(frame.function).elementsEqual("runtime.goexit".utf8) {
                continue
            }
            function = frame.function
        }
        return function
    }
}
