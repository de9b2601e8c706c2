import Dispatch

/// Does one piece of work at a time beside the thread that gives it.
final class Companion: @unchecked Sendable {
    private let queue = DispatchQueue(label: "vestige.companion")
    private let group = DispatchGroup()
    /// Set by the owner while nothing is at work, and read by the work alone.
    private var work: () -> Void = {}

    /// Does `beside` on another thread while `here` is done on this one, and returns when both are done. `beside`
    /// may wait until `here` is done, with the closure that it is handed.
    func run(_ here: () -> Void, beside: (_ waitForOther: () -> Void) -> Void) {
        let isDone = DispatchSemaphore(value: 0)
        withoutActuallyEscaping(beside) { beside in
            work = {
                beside {
                    isDone.wait(); isDone.signal()
                }
            }
            queue.async(group: group) { [self] in work() }
            here()
            isDone.signal()
            group.wait()
            work = {}
        }
    }
}
