import VestigeCore

/// The 16 bytes that every Go execution trace begins with: `go 1.NN trace` and zeros
/// (`internal/trace/version/version.go`).
package enum GoTraceHeader {
    package static let length = 16

    /// The minor version, or nil if the bytes are no header.
    package static func version(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= length, bytes.starts(with: "go 1.".utf8) else { return nil }
        var version = 0
        var index = 5
        while index < 8, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) {
            version = version * 10 + Int(bytes[index] - UInt8(ascii: "0"))
            index += 1
        }
        let rest = bytes[index..<length]
        let tail = Array(" trace".utf8)
        guard index > 5, rest.starts(with: tail), rest.dropFirst(tail.count).allSatisfy({ $0 == 0 }) else { return nil }
        return version
    }

    /// True if these bytes could still become a header when more come.
    static func isPrefix(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count < length && "go 1.".utf8.starts(with: bytes.prefix(5))
    }

    /// Which Go releases write a header.
    package static func toolchains(_ version: Int) -> String {
        switch version {
        case 5: "1.5–1.6"
        case 11: "1.11–1.18"
        case 19: "1.19–1.20"
        case 21: "1.21"
        case 22: "1.22"
        case 23: "1.23–1.24"
        case 25: "1.25"
        case 26: "1.26–1.27"
        default: "1.\(version)"
        }
    }
}
