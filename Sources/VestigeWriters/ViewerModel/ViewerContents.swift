import VestigeCore

extension ViewerContent {
    /// Of Chrome trace JSON: rows of procs and goroutines are what it has no other way to tell. Threads are shown on
    /// request, since their rows are those of the procs once more.
    static let json = ViewerContent(
        all: ViewKinds.all.subtracting(.scheduler), byDefault: [.procs, .goroutines, .regions, .tasks, .runtime])

    /// Of Perfetto's own format: its scheduler tells who runs where, who waits for what and who woke it, and loads many
    /// times faster than the same as slices.
    static let native = ViewerContent(
        all: .all, byDefault: [.scheduler, .regions, .threads, .tasks, .runtime])
}
