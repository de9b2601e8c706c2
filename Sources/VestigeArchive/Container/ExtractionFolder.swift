import Glibc
import VestigeCore

/// A folder that entries are written into, and nothing outside of it: names are checked, and no symbolic link
/// is followed on the way.
final class ExtractionFolder {
    private let folder: String
    private let overwrites: Bool

    init(_ folder: String, overwrites: Bool) {
        self.folder = folder
        self.overwrites = overwrites
    }

    /// A file that waits for its name.
    final class Target: ByteSink {
        fileprivate let descriptor: Int32
        fileprivate let path: String
        fileprivate let temporary: String
        private let sink: DescriptorSink
        fileprivate var isDone = false

        fileprivate init(_ path: String) throws(TraceError) {
            self.path = path
            temporary = Leftovers.temporaryName(for: path)
            TemporaryFiles.add(temporary)
            descriptor = FinalName.create(temporary, mode: 0o600)
            sink = DescriptorSink(descriptor: descriptor, path: path)
            guard descriptor >= 0 else {
                TemporaryFiles.remove(temporary)
                isDone = true
                throw DescriptorSink.error(path)
            }
        }

        deinit {
            if !isDone {
                unlink(temporary)
                TemporaryFiles.remove(temporary)
            }
            if descriptor >= 0 { Glibc.close(descriptor) }
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) { try sink.write(bytes) }
        func finish() {}
    }

    /// - Throws: `usage` for a name that must not be written, or is taken.
    func open(_ entry: ArchiveEntry) throws(TraceError) -> Target {
        if let defect = EntryName.defect(entry.name) {
            throw TraceError(.damaged, file: entry.name, expected: "a name that stays in the folder", found: defect)
        }
        try makeFolders(entry.name)
        let path = "\(folder)/\(entry.name)"
        try checkFree(path)
        return try Target(path)
    }

    /// Gives the file its name, permissions and time.
    func close(_ target: Target, _ entry: ArchiveEntry, suffix: String) throws(TraceError) {
        let path = target.path + suffix
        if !suffix.isEmpty { try checkFree(path) }
        fchmod(target.descriptor, mode_t(entry.mode & 0o777))
        let (seconds, fraction) = entry.modifiedNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if entry.modifiedNanoseconds > 0 {
            let time = timespec(tv_sec: time_t(seconds), tv_nsec: Int(fraction))
            futimens(target.descriptor, [time, time])
        }
        if overwrites {
            guard rename(target.temporary, path) == 0 else { throw DescriptorSink.error(path) }
        } else {
            try FinalName.moveToFreeName(target.temporary, path)
        }
        TemporaryFiles.remove(target.temporary)
        target.isDone = true
    }

    private func checkFree(_ path: String) throws(TraceError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT != S_IFREG || !overwrites { throw FinalName.taken(path) }
    }

    private func makeFolders(_ name: String) throws(TraceError) {
        try makeFolder(folder, followsLinks: true)
        var path = folder
        for component in name.split(separator: "/").dropLast() {
            path += "/\(component)"
            try makeFolder(path, followsLinks: false)
        }
    }

    private func makeFolder(_ path: String, followsLinks: Bool) throws(TraceError) {
        var status = stat()
        if mkdir(path, 0o777) == 0 { return }
        let isThere = errno == EEXIST && (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0
        guard isThere, status.st_mode & S_IFMT == S_IFDIR else {
            throw TraceError(
                .outputFailed, file: path, expected: "a folder", found: isThere ? "something else" : systemErrorText())
        }
    }
}
