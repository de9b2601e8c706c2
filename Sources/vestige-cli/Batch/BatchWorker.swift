import Glibc
import Vestige

/// A process that makes one output: `vestige convert`. Whatever an input does to it, the batch goes on.
final class BatchWorker {
    let task: Int
    private let input: String
    private(set) var bytesRead: UInt64 = 0
    private let process: pid_t
    private let start = ContinuousClock.now
    private var output: Pipe
    private var errors: Pipe
    private var said: (eventCount: UInt64, loss: String)?

    /// One end of a pipe, and what has come through it.
    private struct Pipe {
        var descriptor: Int32
        var bytes: [UInt8] = []
        /// What a process says on standard error is kept up to here.
        static let mostBytes = 1 << 16
    }

    /// - Parameter inherited: a file whose lock the process holds as well, as long as it lives.
    /// - Throws: `outputFailed` if no process can be started.
    init(task: Int, input: String, _ executable: String, _ words: [String], inherited: Int32) throws(TraceError) {
        self.task = task
        self.input = input
        let (out, outEnd) = try Self.pipe()
        let (err, errEnd) = try Self.pipe()
        defer { for end in [outEnd, errEnd] { close(end) } }
        output = Pipe(descriptor: out)
        errors = Pipe(descriptor: err)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outEnd, 1)
        posix_spawn_file_actions_adddup2(&actions, errEnd, 2)
        posix_spawn_file_actions_adddup2(&actions, inherited, 3)
        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        var arguments = ([executable] + words).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawn(&process, executable, &actions, &attributes, &arguments, environ)
        self.process = process
        guard code == 0 else {
            throw TraceError(
                .outputFailed, expected: "processes to work with", found: systemErrorText(code))
        }
    }

    deinit { for pipe in [output, errors] where pipe.descriptor >= 0 { close(pipe.descriptor) } }

    /// A process group of its own, so that Ctrl-C reaches the batch alone, which ends its workers in order.
    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        return attributes
    }

    private static func pipe() throws(TraceError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw TraceError(.outputFailed, expected: "pipes to a process", found: systemErrorText())
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    func terminate() { kill(process, SIGTERM) }

    // MARK: - What it says

    /// Waits until one of several says something or has ended, or so long.
    static func wait(for workers: [BatchWorker], milliseconds: Int32) {
        let descriptors = workers.flatMap { [$0.output.descriptor, $0.errors.descriptor] }.filter { $0 >= 0 }
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&polled, nfds_t(polled.count), milliseconds)
    }

    /// Takes what it has said.
    /// - Returns: what became of its task, once it has ended.
    func listen() -> BatchOutcome? {
        Self.drain(&output)
        Self.drain(&errors)
        takeLines()
        guard output.descriptor < 0, errors.descriptor < 0 else { return nil }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return outcome(status)
    }

    private static func drain(_ pipe: inout Pipe) {
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while pipe.descriptor >= 0 {
            var polled = pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 0) > 0 else { return }
            let count = read(pipe.descriptor, &chunk, chunk.count)
            if count > 0 {
                pipe.bytes += chunk[..<min(count, max(0, Pipe.mostBytes - pipe.bytes.count))]
            } else if count == 0 || errno != EINTR {
                close(pipe.descriptor)
                pipe.descriptor = -1
            }
        }
    }

    private func takeLines() {
        guard let end = output.bytes.lastIndex(of: UInt8(ascii: "\n")) else { return }
        for line in output.bytes[...end].split(separator: UInt8(ascii: "\n")) {
            let fields = String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
            if fields.count == 2, fields[0] == "read", let count = UInt64(fields[1]) { bytesRead = count }
            if fields.count == 3, fields[0] == "done", let count = UInt64(fields[1]) {
                said = (count, String(fields[2]))
            }
        }
        output.bytes.removeSubrange(...end)
    }

    /// A message without the input's name, which stands beside it.
    private static func shortened(_ message: String, _ input: String) -> String {
        let name = "\(input): "
        return message.hasPrefix(name) ? String(message.dropFirst(name.count)) : message
    }

    private func outcome(_ status: Int32) -> BatchOutcome {
        let messages = String(decoding: errors.bytes, as: UTF8.self).split(separator: "\n").filter {
            $0.hasPrefix("vestige: ")
        }.map { Self.shortened(String($0.dropFirst("vestige: ".count)), input) }
        let milliseconds = Int64(Units.seconds(.now - start) * 1000)
        let signal = status & 0x7f
        if signal == 0, status >> 8 == 0, let said {
            return BatchOutcome(
                result: said.loss.isEmpty ? .done : .partial, eventCount: said.eventCount, loss: said.loss,
                milliseconds: milliseconds, message: messages.first ?? "")
        }
        let isMessage = { (text: String) in !text.hasPrefix("warning: ") && !text.hasPrefix("note: ") }
        let reason =
            signal != 0
            ? "the process was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
            : messages.last(where: isMessage) ?? "the process ended with \(status >> 8)"
        return BatchOutcome(result: .failed, milliseconds: milliseconds, message: reason)
    }
}
