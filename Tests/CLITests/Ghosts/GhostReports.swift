import Foundation
import VestigeTestSupport

/// What `vestige ghosts --json` says.
struct GhostReports: Decodable {
    struct Frame: Decodable {
        var `func`: String
        var line: Int
    }
    struct Note: Decodable {
        var source: String
        var state: String
        var reason: String
        var leaked: Bool
    }
    struct Woken: Decodable { var g: Int64? }
    struct Member: Decodable {
        var g: Int64?
        var from_ns: Int64
        var creator: Int64?
        var last_woken: Woken?
        var says: [Note]
    }
    struct Finding: Decodable {
        var id: String
        var `class`: String
        var also: [String]
        var sentence: String
        var count: Int
        var goroutines: [Int64]
        var function: String
        var view: String
        var stack: [Frame]
        var creation_stack: [Frame]
        var longest_ns: Int64
        var members: [Member]
    }
    var known: Int
    var spared: [String: Int]
    var findings: [Finding]

    static func read(_ arguments: [String]) throws -> GhostReports {
        let result = try CommandLineTool.run(["ghosts", "--json", "-q"] + arguments)
        let report = try JSONDecoder().decode(GhostReports.self, from: result.output)
        guard result.status == (report.findings.isEmpty ? 0 : 1) else {
            throw Unexpected(text: "status \(result.status): \(result.errors)")
        }
        return report
    }

    struct Unexpected: Error { var text: String }

    /// By goroutine: the class that it is named under; nil where one is named twice, or not every one is listed.
    var classes: [Int64: String]? {
        var classes: [Int64: String] = [:]
        for finding in findings {
            if finding.goroutines.count != finding.count { return nil }
            for goroutine in finding.goroutines {
                if classes.updateValue(finding.class, forKey: goroutine) != nil { return nil }
            }
        }
        return classes
    }
}

/// What the labelled programs say of their goroutines.
enum GhostLabels {
    static let folder = "\(PackagePaths.samples)/ghosts"

    static func read(_ path: String) throws -> [Int64: String] {
        var labels: [Int64: String] = [:]
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: "\t")
            labels[Int64(parts[0])!] = String(parts[1])
        }
        return labels
    }
}
