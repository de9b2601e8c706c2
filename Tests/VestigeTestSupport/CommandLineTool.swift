import Foundation

/// What became of a process.
public struct CommandResult: Sendable {
    /// Exit code, or 128 + number of the signal that ended it.
    public var status: Int32
    public var output: Data
    public var errors: String

    public var text: String { String(decoding: output, as: UTF8.self) }
}

/// The built `vestige`, run as a process.
public enum CommandLineTool {
    /// The executable beside this test bundle, or what the environment variable VESTIGE_BINARY names.
    public static let path: String = {
        if let path = ProcessInfo.processInfo.environment["VESTIGE_BINARY"] { return path }
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return bundle.deletingLastPathComponent().appendingPathComponent("vestige").path
    }()

    /// Runs `vestige` to its end.
    /// - Parameter folder: the process's working directory.
    public static func run(
        _ arguments: [String], input: some Sequence<UInt8> = EmptyCollection<UInt8>(), in folder: String? = nil
    ) throws -> CommandResult {
        try execute(path, arguments, input: input, in: folder)
    }

    /// Runs a script with `bash -c`, in which `vestige` is the command under test.
    public static func shell(_ script: String, in folder: String? = nil) throws -> CommandResult {
        let define = "set -u; vestige() { '\(path)' \"$@\"; }\n"
        return try execute("/bin/bash", ["-c", define + script], input: EmptyCollection(), in: folder)
    }

    private static func execute(
        _ executable: String, _ arguments: [String], input: some Sequence<UInt8>, in folder: String?
    ) throws -> CommandResult {
        // Files instead of pipes: nobody has to read them for the process to go on.
        let exchange = try TemporaryFolder()
        try exchange.write(input, to: "in")
        let process = try start(
            executable, arguments, in: folder, input: exchange.file("in"), output: exchange.file("out"),
            errors: exchange.file("err"))
        let status = wait(for: process)
        return CommandResult(status: status, output: try exchange.read("out"), errors: try exchange.text("err"))
    }

    /// Starts a process, with files as its standard input, output and error.
    public static func start(
        _ executable: String, _ arguments: [String], in folder: String?, input: String, output: String, errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var attributes = signalDefaults()
        defer { posix_spawnattr_destroy(&attributes) }
        // The shell changes the folder and becomes the program, under the same process id.
        let enter = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder ?? "."]
        var words = (enter + [executable] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, words[0]!, &actions, &attributes, &words, environ)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
        return process
    }

    /// Signals as a terminal would give them: threads that run tests block some, and a background
    /// job ignores some, which a process would inherit.
    private static func signalDefaults() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var stopping = none
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&stopping, signal) }
        posix_spawnattr_setsigdefault(&attributes, &stopping)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    /// Waits for a process that was started here.
    /// - Returns: its exit code, or 128 + number of the signal that ended it.
    public static func wait(for process: pid_t) -> Int32 {
        switch end(of: process) {
        case .exit(let code): code
        case .signal(let number): 128 + number
        }
    }

    /// Waits for a process that was started here.
    public static func end(of process: pid_t) -> ProcessEnd {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
    }
}

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable {
    case exit(Int32)
    case signal(Int32)
}
