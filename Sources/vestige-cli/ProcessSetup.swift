import Glibc
import Vestige

/// What a process has to arrange with the system before it does anything.
enum ProcessSetup {
    static func run() {
        openStandardDescriptors()
        // Broken pipes and file size limits then come back from write(2) as errors with a reason.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        ProgressBar.clearInHandler()
        TemporaryFiles.unlinkAll()  // both once here, so that the handler initialises nothing
        for number in [SIGINT, SIGTERM, SIGHUP] { handle(number) }
    }

    /// Leaves no half-written file behind, and ends with 128 and the signal's number: 130 after Ctrl-C.
    /// A signal that was ignored from the start (`nohup`) stays so.
    private static func handle(_ number: Int32) {
        var action = sigaction()
        sigaction(number, nil, &action)
        if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Int(bitPattern: 1) { return }
        signal(number) { number in
            ProgressBar.clearInHandler()
            TemporaryFiles.unlinkAll()
            _exit(128 + number)
        }
    }

    /// A file opened while a standard descriptor is closed would take its number, and messages would
    /// end up in it.
    private static func openStandardDescriptors() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            // Reading where it is to be written, and the reverse: using it still fails.
            _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
        }
    }
}
