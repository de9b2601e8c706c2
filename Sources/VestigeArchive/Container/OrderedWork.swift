import Dispatch
import Glibc
import VestigeCore

/// Does jobs on all processors and delivers their results in order.
enum OrderedWork {
    /// Processors to use; each needs memory for a block in all its forms.
    static var workerCount: Int { max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 16)) }

    /// - Parameters:
    ///   - work: does a job with a worker, at the same time as others.
    ///   - deliver: takes what is done, one job after the other.
    /// - Throws: what the first job that fails throws; the jobs before it are delivered.
    static func run<Worker, Result>(
        _ count: Int, worker makeWorker: () -> Worker,
        work: (Worker, Int) throws(TraceError) -> Result,
        deliver: (Worker, Int, Result) throws(TraceError) -> Void
    ) throws(TraceError) {
        guard count > 0 else { return }
        let line = Line(count)
        func loop() {
            let worker = makeWorker()
            while let job = line.take() {
                let outcome = Swift.Result { () throws(TraceError) in try work(worker, job) }
                guard line.waitForTurn(job) else { return }
                do throws(TraceError) {
                    try deliver(worker, job, outcome.get())
                    line.pass(job, failure: nil)
                } catch {
                    line.pass(job, failure: error)
                }
            }
        }
        withoutActuallyEscaping(loop) { loop in
            let shared = Shared(value: loop)
            DispatchQueue.concurrentPerform(iterations: min(workerCount, count)) { _ in shared.value() }
        }
        if let failure = line.failure { throw failure }
    }

    /// Workers share nothing but what `Line` guards and what `deliver` does in turn.
    private struct Shared: @unchecked Sendable {
        let value: () -> Void
    }

    /// Who is next.
    private final class Line: @unchecked Sendable {
        private let count: Int
        private var taken = 0
        private var turn = 0
        private(set) var failure: TraceError?
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let moved = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

        init(_ count: Int) {
            self.count = count
            mutex.initialize(to: pthread_mutex_t())
            moved.initialize(to: pthread_cond_t())
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(moved, nil)
        }

        deinit {
            pthread_cond_destroy(moved)
            pthread_mutex_destroy(mutex)
            moved.deallocate()
            mutex.deallocate()
        }

        func take() -> Int? {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            guard taken < count, failure == nil else { return nil }
            defer { taken += 1 }
            return taken
        }

        /// - Returns: false if an earlier job has failed.
        func waitForTurn(_ job: Int) -> Bool {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            while turn < job, failure == nil { pthread_cond_wait(moved, mutex) }
            return failure == nil
        }

        func pass(_ job: Int, failure: TraceError?) {
            pthread_mutex_lock(mutex)
            turn = job + 1
            if self.failure == nil { self.failure = failure }
            pthread_cond_broadcast(moved)
            pthread_mutex_unlock(mutex)
        }
    }
}
