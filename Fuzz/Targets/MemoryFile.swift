import Glibc

/// A file without a name, which has a path all the same: in memory where the system has a place for that.
final class MemoryFile {
    private let descriptor: Int32
    let path: String

    init(_ bytes: [UInt8]) throws {
        let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(folder)/vestige-fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        path = "/proc/self/fd/\(descriptor)"
        guard descriptor >= 0 else { throw Violation("no file in \(folder): \(String(cString: strerror(errno)))") }
        unlink(template)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, bytes.count - done) }
            guard count > 0 else { throw Violation("no room in \(folder): \(String(cString: strerror(errno)))") }
            done += count
        }
    }

    deinit { close(descriptor) }
}
