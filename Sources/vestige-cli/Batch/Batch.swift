import Glibc
import Vestige

/// Makes many outputs from many inputs, some at a time, each in a process of its own.
struct Batch {
    var tasks: [BatchTask]
    let journal: BatchJournal
    /// What a conversion to a format is told besides its input and output.
    let words: (OutputFormat) -> [String]
    /// How many processes work at the same time; each takes the memory of one conversion.
    let jobCount: Int
    /// Whether outputs may be replaced that no batch has made.
    let overwrites: Bool
    let bar: ProgressBar?

    /// What became of each task, in their order; nil for those that were not done when a signal came.
    struct Result {
        var outcomes: [BatchOutcome?]
        /// How many did not have to be done again.
        var skippedCount = 0
    }

    func run() throws(TraceError) -> Result {
        var run = BatchRun(self)
        try run.run()
        return run.result
    }
}

/// One run of a batch.
private struct BatchRun {
    private let batch: Batch
    private let executable: String
    private(set) var result: Batch.Result
    /// Tasks that are still to be done, in their order.
    private var waiting: ArraySlice<Int> = []
    private var workers: [BatchWorker] = []
    private var bytesDone: UInt64 = 0
    private var byteCount: UInt64 = 0
    private let start = ContinuousClock.now

    init(_ batch: Batch) {
        self.batch = batch
        // The name of the program itself, also if its file has been replaced.
        executable = "/proc/self/exe"
        result = Batch.Result(outcomes: [BatchOutcome?](repeating: nil, count: batch.tasks.count))
    }

    mutating func run() throws(TraceError) {
        var open: [Int] = []
        for (number, task) in batch.tasks.enumerated() {
            if let known = known(task) {
                result.outcomes[number] = known
                result.skippedCount += 1
            } else {
                open.append(number)
                byteCount += task.inputSize
            }
        }
        waiting = open[...]
        do throws(TraceError) {
            while Interruption.signal == 0, !waiting.isEmpty || !workers.isEmpty {
                try startWorkers()
                try listen()
            }
        } catch {
            endWorkers()
            throw error
        }
        endWorkers()
        batch.bar?.clear()
    }

    /// What became of a task before, if nothing has changed since.
    private func known(_ task: BatchTask) -> BatchOutcome? {
        guard let record = batch.journal.records[task.key], record.outcome.result != .failed,
            record.inputState == task.inputState, record.options == options(of: task), task.hasOutput,
            record.outputState == task.outputState
        else { return nil }
        return record.outcome
    }

    private func options(of task: BatchTask) -> String { batch.words(task.format).joined(separator: " ") }

    private mutating func startWorkers() throws(TraceError) {
        while workers.count < batch.jobCount, let number = waiting.popFirst() {
            let task = batch.tasks[number]
            if let refusal = refusal(of: task) {
                // Not for the journal: what is there stays somebody else's.
                report(number, BatchOutcome(result: .failed, message: refusal))
                continue
            }
            if !task.output.isEmpty { try FolderPath.make(FolderPath.parent(of: task.output)) }
            try batch.journal.begin(task)
            var words = ["convert", task.input, "--to=\(task.format.name)", "--batch-process=\(getpid())"]
            if !task.output.isEmpty { words += ["--output=\(task.output)", "--force"] }
            workers.append(
                try BatchWorker(
                    task: number, input: task.input, executable, words + batch.words(task.format),
                    inherited: batch.journal.file))
        }
    }

    /// Why a task cannot be begun: somebody else's file is in its place.
    private func refusal(of task: BatchTask) -> String? {
        guard !batch.overwrites, !task.output.isEmpty, task.hasOutput else { return nil }
        guard batch.journal.owned.contains(task.output) else {
            return "\(task.output): expected a name that is free (or -f to overwrite), found a file that exists"
        }
        guard let record = batch.journal.records[task.key], record.outcome.result != .failed,
            record.outputState != task.outputState
        else { return nil }
        return "\(task.output): expected the file as the batch wrote it (or -f to overwrite), found it changed"
    }

    private mutating func listen() throws(TraceError) {
        BatchWorker.wait(for: workers, milliseconds: 100)
        for (place, worker) in workers.enumerated().reversed() {
            guard let outcome = worker.listen() else { continue }
            workers.remove(at: place)
            if Interruption.signal == 0 { try finish(worker.task, outcome) }
        }
        let reading = workers.reduce(UInt64(0)) { $0 + min($1.bytesRead, batch.tasks[$1.task].inputSize) }
        let finishedCount = result.outcomes.count { $0 != nil }
        batch.bar?.show(
            Progress(bytesConsumed: bytesDone + reading, byteCount: byteCount, elapsed: .now - start),
            note: "\(finishedCount) of \(batch.tasks.count)")
    }

    private mutating func finish(_ number: Int, _ outcome: BatchOutcome) throws(TraceError) {
        let task = batch.tasks[number]
        try batch.journal.end(
            key: task.key,
            BatchJournal.Record(
                inputState: task.inputState, options: options(of: task), outputState: task.outputState, outcome: outcome
            ))
        report(number, outcome)
    }

    private mutating func report(_ number: Int, _ outcome: BatchOutcome) {
        let task = batch.tasks[number]
        result.outcomes[number] = outcome
        bytesDone += task.inputSize
        if outcome.result == .failed {
            batch.bar?.clear()
            Console.say("\(task.input) (\(task.format.name)): \(outcome.message)")
        }
    }

    /// Ends what is still at work; what it has written under a temporary name goes with it.
    private mutating func endWorkers() {
        for worker in workers { worker.terminate() }
        while !workers.isEmpty {
            BatchWorker.wait(for: workers, milliseconds: 100)
            workers.removeAll { $0.listen() != nil }
        }
    }
}
