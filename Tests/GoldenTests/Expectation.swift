import Foundation
import Testing
import VestigeCore

/// A folder of files that an output should equal: compressed with zstd, but for those `.txt`.
struct Expectation {
    var folder: String

    func check(_ files: [String: Data], isRecording: Bool) throws {
        if isRecording {
            try record(files)
            Issue.record("recorded \(folder); look at the difference, then run the tests without VESTIGE_RECORD")
            return
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        #expect(Set(names) == Set(files.keys.map(Self.storedName)), "`make record` writes what is expected anew")
        for (name, found) in files where names.contains(Self.storedName(name)) {
            try compare(name, expected: read("\(folder)/\(Self.storedName(name))"), found: found)
        }
    }

    private static func storedName(_ name: String) -> String { name.hasSuffix(".txt") ? name : "\(name).zst" }

    private func compare(_ name: String, expected: Data, found: Data) {
        guard expected != found else { return }
        let newline = UInt8(ascii: "\n")
        let wanted = expected.split(separator: newline, omittingEmptySubsequences: false)
        let lines = found.split(separator: newline, omittingEmptySubsequences: false)
        let index = zip(wanted, lines).enumerated().first { $1.0 != $1.1 }?.offset ?? min(wanted.count, lines.count)
        let show = { (lines: [Data]) in
            index < lines.count ? String(decoding: lines[index].prefix(600), as: UTF8.self) : "(the end)"
        }
        Issue.record("\(folder)/\(name), line \(index + 1):\nexpected \(show(wanted))\nfound    \(show(lines))")
    }

    private func read(_ path: String) throws -> Data {
        let source = try ByteSource.open(path)
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try source.read(at: UInt64(data.count), into: $0) }
            if count == 0 { return data }
            data.append(contentsOf: buffer[..<count])
        }
    }

    private func record(_ files: [String: Data]) throws {
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, data) in files {
            let file = try OutputFile("\(folder)/\(Self.storedName(name))", overwrites: true)
            try data.withUnsafeBytes { try file.sink.write($0) }
            try file.commit()
        }
    }
}
