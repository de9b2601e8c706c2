import Vestige

/// Findings for code scanning: SARIF 2.1.0
/// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json).
enum GhostsSARIF {
    private static let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

    static func text(_ reports: [GhostReport]) -> String {
        let log = JSONObject()
        log.add("$schema", schema)
        log.add("version", "2.1.0")
        log.add("runs", reports.map(run))
        return log.text + "\n"
    }

    private static func run(_ report: GhostReport) -> JSONObject {
        let driver = JSONObject()
        driver.add("name", "vestige")
        driver.add("semanticVersion", vestigeVersion)
        driver.add("rules", GhostClass.allCases.map(rule))
        let tool = JSONObject()
        tool.add("driver", driver)
        let run = JSONObject()
        run.add("tool", tool)
        run.add("results", report.items.map { result($0, report.reading.tables) })
        run.add("columnKind", "utf16CodeUnits")
        return run
    }

    private static func rule(_ ghost: GhostClass) -> JSONObject {
        let rule = JSONObject()
        rule.add("id", id(ghost))
        rule.add("name", ghost.name)
        rule.add("shortDescription", message("A goroutine is \(ghost.name): it \(ghost.summary)"))
        let level = JSONObject()
        level.add("level", self.level(ghost))
        rule.add("defaultConfiguration", level)
        return rule
    }

    private static func result(_ item: GhostItem, _ tables: TraceTables) -> JSONObject {
        let finding = item.finding
        let result = JSONObject()
        result.add("ruleId", id(finding.ghost))
        result.add("ruleIndex", Int64(finding.ghost.rawValue))
        result.add("level", level(finding.ghost))
        result.add("message", message(item.sentence))
        let places = [item.place, item.creationPlace].compactMap { $0 }.filter { $0.file != .empty }
        result.add("locations", places.prefix(1).map { location($0, nil, tables) })
        if let creation = item.creationPlace, creation.file != .empty {
            result.add("relatedLocations", [location(creation, "created here", tables)])
        }
        let stacks = [("waits at", finding.stack), ("created at", finding.creationStack)].filter { $0.1 != .absent }
        result.add("stacks", stacks.map { stack($0.1, $0.0, tables) })
        let fingerprints = JSONObject()
        fingerprints.add("vestigeGhost/v1", item.id)
        result.add("partialFingerprints", fingerprints)
        result.add("occurrenceCount", Int64(clamping: max(1, finding.count)))
        let properties = JSONObject()
        properties.add("view", item.command)
        properties.addNumbers(
            "goroutines", finding.members.lazy.map(\.goroutine.rawValue).filter { $0 >= 0 }.prefix(1000).map { $0 })
        result.add("properties", properties)
        return result
    }

    private static func stack(_ stack: StackID, _ title: String, _ tables: TraceTables) -> JSONObject {
        let object = JSONObject()
        object.add("message", message(title))
        object.add(
            "frames",
            tables.stacks.frames(stack).prefix(128).map { frame in
                let item = JSONObject()
                item.add("location", location(frame, tables.strings.string(frame.function), tables))
                return item
            })
        return object
    }

    private static func location(_ frame: Frame, _ text: String?, _ tables: TraceTables) -> JSONObject {
        let artifact = JSONObject()
        artifact.add("uri", uri(tables.strings.string(frame.file)))
        let physical = JSONObject()
        physical.add("artifactLocation", artifact)
        if frame.line > 0 {
            let region = JSONObject()
            region.add("startLine", Int64(clamping: frame.line))
            physical.add("region", region)
        }
        let logical = JSONObject()
        logical.add("fullyQualifiedName", tables.strings.string(frame.function))
        logical.add("kind", "function")
        let location = JSONObject()
        location.add("physicalLocation", physical)
        location.add("logicalLocations", [logical])
        if let text { location.add("message", message(text)) }
        return location
    }

    /// A path as a reference of RFC 3986: absolute ones get their scheme, and what is not allowed is escaped.
    private static func uri(_ path: String) -> String {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/@+".utf8)
        let digits = Array("0123456789ABCDEF")
        var text = path.hasPrefix("/") ? "file://" : ""
        for byte in path.utf8 {
            if allowed.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return text
    }

    private static func message(_ text: String) -> JSONObject {
        let object = JSONObject()
        object.add("text", text)
        return object
    }

    private static func id(_ ghost: GhostClass) -> String {
        "ghosts/" + ghost.name.split(separator: " ").joined(separator: "-")
    }

    private static func level(_ ghost: GhostClass) -> String {
        switch ghost {
        case .leaked, .stuck: "error"
        case .orphan, .pilingUp, .hog, .starved: "warning"
        }
    }
}
