/// Numbers for people.
package enum Units {
    /// `1234567` as `1,234,567`.
    package static func grouped(_ value: UInt64) -> String {
        var text = ""
        for (index, digit) in String(value).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// A count with its noun, e.g. `1 event`, `2,000 events`.
    package static func counted(_ value: UInt64, _ noun: String) -> String {
        "\(grouped(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// The same for scripts, e.g. `2000 events`.
    package static func plain(_ value: UInt64, _ noun: String) -> String { "\(value) \(noun)\(value == 1 ? "" : "s")" }

    /// Bytes in decimal units, e.g. `42.1 MB`.
    package static func bytes(_ count: UInt64) -> String {
        if count < 1000 { return "\(count) B" }
        var value = Double(count)
        for unit in ["kB", "MB", "GB"] {
            value /= 1000
            if value < 999.95 { return "\(decimal(value, digits: 1)) \(unit)" }
        }
        return "\(decimal(value / 1000, digits: 1)) TB"
    }

    /// Nanoseconds in the unit that suits them, e.g. `1.203 s`.
    package static func duration(_ nanoseconds: Int64) -> String {
        let value = Double(nanoseconds)
        switch nanoseconds.magnitude {
        case ..<1_000: return "\(nanoseconds) ns"
        case ..<1_000_000: return "\(decimal(value / 1e3, digits: 3)) µs"
        case ..<1_000_000_000: return "\(decimal(value / 1e6, digits: 3)) ms"
        default: return "\(decimal(value / 1e9, digits: 3)) s"
        }
    }

    /// A duration in whole seconds, e.g. `1:05`.
    package static func clock(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let two = { (value: Int64) in (value < 10 ? "0" : "") + String(value) }
        if seconds < 3600 { return "\(seconds / 60):\(two(seconds % 60))" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    package static func decimal(_ value: Double, digits: Int) -> String {
        var scale: Double = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 1e18 else { return "\(value)" }
        let (whole, fraction) = Int64(scaled).quotientAndRemainder(dividingBy: Int64(scale))
        let padded = String(repeating: "0", count: max(0, digits - String(fraction).count)) + String(fraction)
        return (value < 0 ? "-" : "") + (digits == 0 ? "\(whole)" : "\(whole).\(padded)")
    }

    package static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
