import VestigeCore

/// pprof labels in text: `{"path":"/orders", "tenant":"t0"}` in profiles, `{path: "/orders/{id}", tenant: t0}`
/// behind the header of a goroutine, where only what needs it is quoted.
enum LabelText {
    /// - Returns: nil if the text is no such list.
    static func parse(_ text: DumpBytes, _ tables: TraceTables) -> AttributeListID? {
        guard text.begins(with: "{"), text.ends(with: "}"), text.count >= 2 else { return nil }
        let inside = text.part(1..<text.count - 1)
        var labels: [Attribute] = []
        var index = inside.skipBlanks()
        while index < inside.count {
            guard let name = word(inside, &index, until: ":", tables.strings), index < inside.count,
                inside[index] == 0x3a
            else { return nil }
            index = inside.skipBlanks(from: index + 1)
            guard let value = word(inside, &index, until: ",", tables.strings) else { return nil }
            labels.append(Attribute(name: name, value: value))
            guard index == inside.count || inside[index] == 0x2c else { return nil }
            index = inside.skipBlanks(from: index + 1)
        }
        return tables.observations.intern(labels: labels, tables.strings)
    }

    /// A name or value, in quotes or up to `end`; `index` moves behind it.
    private static func word(
        _ text: DumpBytes, _ index: inout Int, until end: Unicode.Scalar, _ strings: StringTable
    ) -> StringID? {
        guard index < text.count, text[index] == 0x22 else {
            let start = index
            index = text.first(end, from: start) ?? text.count
            return strings.intern(UnsafeRawBufferPointer(text.part(start..<index)))
        }
        guard let quote = EscapedText.closingQuote(text, from: index + 1) else { return nil }
        var bytes: [UInt8] = []
        EscapedText.decode(text.part(index + 1..<quote), into: &bytes)
        index = text.skipBlanks(from: quote + 1)
        return bytes.withUnsafeBytes { strings.intern($0) }
    }
}
