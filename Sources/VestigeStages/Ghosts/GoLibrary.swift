import VestigeCore

/// What can be told from the name of a function about whose code it is.
enum GoLibrary {
    /// The first elements of the paths of Go's own packages (`go list std`).
    private static let roots: Set<String> = [
        "archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
        "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter",
        "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort",
        "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe",
        "vendor", "weak",
    ]

    /// Packages of which a frame says nothing of what its caller waits for.
    private static let plumbing: [StaticString] = [
        "runtime.", "runtime/", "internal/sync.", "internal/runtime", "internal/synctest", "sync.", "sync/",
    ]

    /// True for a function of Go's own packages.
    static func contains(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        let first = function.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "/") }
        return first.isEmpty || roots.contains(String(decoding: first, as: UTF8.self))
    }

    /// True for a function of the runtime, or of the package that records traces or profiles.
    static func isRuntime(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        (function.starts(with: "runtime.".utf8) || function.starts(with: "runtime/".utf8))
            && !function.elementsEqual("runtime.main".utf8)
    }

    static func isPlumbing(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        plumbing.contains { starts(function, with: $0) }
    }

    /// A function that waits for a mutex.
    static func isLock(_ function: UnsafeBufferPointer<UInt8>) -> Bool {
        starts(function, with: "sync.(*Mutex).") || starts(function, with: "internal/sync.(*Mutex).")
    }

    /// True if the program has not started a goroutine itself, but a function of Go's library has, for itself.
    static func hasStarted(at creation: StackID, _ tables: TraceTables) -> Bool {
        guard creation != .absent else { return false }
        return contains(tables.strings.bytes(tables.stacks.node(withoutPlumbing(creation, tables)).frame.function))
    }

    static func starts(_ function: UnsafeBufferPointer<UInt8>, with prefix: StaticString) -> Bool {
        function.starts(with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
    }

    /// The stack from the innermost frame on that is no plumbing; the whole where there is no other.
    static func withoutPlumbing(_ stack: StackID, _ tables: TraceTables) -> StackID {
        var position = stack
        while position != .absent {
            let node = tables.stacks.node(position)
            if !isPlumbing(tables.strings.bytes(node.frame.function)) { return position }
            position = node.caller
        }
        return stack
    }

    /// The stack from the innermost frame of the program on; absent if all are the library's.
    static func ofProgram(_ stack: StackID, _ tables: TraceTables) -> StackID {
        var position = stack
        while position != .absent {
            let node = tables.stacks.node(position)
            if !contains(tables.strings.bytes(node.frame.function)) { return position }
            position = node.caller
        }
        return .absent
    }
}
