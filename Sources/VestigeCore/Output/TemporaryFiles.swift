import Glibc

/// The temporary files and folders that exist now, so that a signal can remove them on the way out.
public enum TemporaryFiles {
    /// Fixed storage, since a signal handler may neither lock nor allocate: paths are C strings that
    /// are published by one pointer store and never freed before they are withdrawn.
    private static let slotCount = 10_240
    nonisolated(unsafe) private static let slots: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = {
        let slots = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: slotCount)
        slots.initialize(repeating: nil, count: slotCount)
        return slots
    }()

    package static func add(_ path: String) {
        for index in 0..<slotCount where slots[index] == nil {
            slots[index] = strdup(path)
            return
        }
    }

    package static func remove(_ path: String) {
        for index in 0..<slotCount {
            guard let held = slots[index], strcmp(held, path) == 0 else { continue }
            slots[index] = nil
            free(held)
        }
    }

    /// Removes them all, files before the folders they are in; safe to call from a signal handler
    /// once it has been called outside of one.
    public static func unlinkAll() {
        for index in 0..<slotCount {
            if let held = slots[index] { unlink(held) }
        }
        for index in 0..<slotCount {
            if let held = slots[index] { rmdir(held) }
        }
    }
}
