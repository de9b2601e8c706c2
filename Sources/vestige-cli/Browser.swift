import Glibc

/// The user's web browser.
enum Browser {
    /// Opens an address with `$BROWSER` (a list of commands between colons, as other programs read it),
    /// else with `xdg-open`.
    /// - Returns: false if there is none, or no display to show it on.
    static func open(_ address: String) -> Bool {
        let named = (variable("BROWSER") ?? "").split(separator: ":").map(String.init)
        if named.contains(where: { start($0, address) }) { return true }
        let hasDisplay = variable("DISPLAY") != nil || variable("WAYLAND_DISPLAY") != nil
        return hasDisplay && start("xdg-open", address)
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// Starts a command with the address as its last word, silent and in a session of its own, so that
    /// Ctrl-C does not reach it.
    private static func start(_ command: String, _ address: String) -> Bool {
        var words = command.split(separator: " ").map { strdup(String($0)) } + [strdup(address), nil]
        defer { for word in words { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for descriptor: Int32 in 1...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGPIPE, SIGXFSZ] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | 0x80 /* POSIX_SPAWN_SETSID */))
        var process = pid_t()
        return posix_spawnp(&process, words[0]!, &actions, &attributes, &words, environ) == 0
    }
}
