import Glibc
import VestigeCore

/// Names of entries: relative paths with slashes, which cannot lead out of the folder they are extracted to.
public enum EntryName {
    static let mostBytes = 4096
    private static let mostComponentBytes = 255

    /// What is wrong with a name; nil if nothing.
    static func defect(_ name: String) -> String? {
        if name.isEmpty { return "an empty name" }
        if name.utf8.count > mostBytes { return "a name of \(name.utf8.count) bytes" }
        if name.unicodeScalars.contains(where: isControl) { return "a name with control characters" }
        for component in name.split(separator: "/", omittingEmptySubsequences: false) {
            if component.isEmpty { return "a name that is absolute or has an empty part" }
            if component == "." || component == ".." { return "a name with the part \"\(component)\"" }
            if component.utf8.count > mostComponentBytes { return "a part of \(component.utf8.count) bytes" }
        }
        return nil
    }

    /// Control characters, also those that reverse the direction of text.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// The name under which a file is put into an archive: its path without what leads to a root or upwards.
    public static func forPath(_ path: String) -> String {
        var kept: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { kept.removeAll() } else { kept.append(component) }
        }
        return kept.joined(separator: "/")
    }

    /// Whether a pattern of `*`, `?` and `[…]` fits a whole name, or the name is in a folder that it names.
    public static func matches(_ name: String, _ pattern: String) -> Bool {
        let pattern = pattern.hasSuffix("/") ? String(pattern.dropLast()) : pattern
        return name == pattern || name.hasPrefix(pattern + "/") || fnmatch(pattern, name, 0) == 0
    }
}
