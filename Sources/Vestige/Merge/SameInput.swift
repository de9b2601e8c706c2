import Glibc
import VestigeCore

/// Finds inputs that are given twice: what they tell would be told twice.
enum SameInput {
    /// - Throws: `usage` for two names of one file, and for two files of one content, unless the user says when one of
    ///   them was: a program that does nothing gives the same dump again.
    static func check(_ paths: [String], times: [ManualTime]) throws(TraceError) {
        if paths.filter({ $0 == "-" }).count > 1 {
            throw TraceError(.usage, expected: "standard input at most once", found: "- twice")
        }
        var files: [(path: String, status: stat)] = []
        for path in paths {
            var status = stat()
            guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            for (other, known) in files {
                let isSame = known.st_dev == status.st_dev && known.st_ino == status.st_ino
                let isPlaced = times.contains { $0.path == path || $0.path == other }
                guard isSame || !isPlaced && known.st_size == status.st_size && haveSameContent(path, other) else {
                    continue
                }
                let advice = isSame ? "" : " (if it was taken at another time, --at \(path)=TIME says when)"
                throw TraceError(
                    .usage, file: path, expected: "each input once\(advice)",
                    found: isSame ? "the file \(other)" : "the content of \(other)")
            }
            files.append((path, status))
        }
    }

    private static func haveSameContent(_ a: String, _ b: String) -> Bool {
        guard let first = fopen(a, "r") else { return false }
        defer { fclose(first) }
        guard let second = fopen(b, "r") else { return false }
        defer { fclose(second) }
        let size = 64 << 10
        return withUnsafeTemporaryAllocation(byteCount: 2 * size, alignment: 16) { room in
            guard let one = room.baseAddress else { return false }
            let other = one + size
            while true {
                let count = fread(one, 1, size, first)
                guard fread(other, 1, size, second) == count, memcmp(one, other, count) == 0 else { return false }
                if count < size { return true }
            }
        }
    }
}
