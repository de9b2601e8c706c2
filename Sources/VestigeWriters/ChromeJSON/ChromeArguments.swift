import VestigeCore

// Strings, and the arguments of an event.
extension ChromeText {
    /// A string as it stands between quotes.
    func content(_ id: StringID) {
        let plain = plainString(id)
        if plain.length >= 0 {
            buffer.append(UnsafeBufferPointer(start: plain.start, count: plain.length))
        } else {
            content(tables.strings.bytes(id))
        }
    }

    /// (Catapult would read escapes; but whoever has the file may open it in Perfetto.)
    func content(_ bytes: UnsafeBufferPointer<UInt8>) { VisibleSubstitutes.append(bytes, to: buffer) }

    private func plainString(_ id: StringID) -> PlainString {
        let index = Int(id.rawValue)
        guard index < state.pointee.plainStrings.count else { return inspect(id) }
        let plain = state.pointee.plainStrings[index]
        return plain.start == nil ? inspect(id) : plain
    }

    /// Looks whether the string needs escapes, which few do. Its bytes never move.
    private func inspect(_ id: StringID) -> PlainString {
        let bytes = tables.strings.bytes(id)
        guard let start = bytes.baseAddress else { return PlainString(start: nil, length: 0) }
        let index = Int(id.rawValue)
        while index >= state.pointee.plainStrings.count {
            state.pointee.plainStrings.append(PlainString(start: nil, length: 0))
        }
        let isPlain = !bytes.contains(where: VisibleSubstitutes.isNeeded) && tables.strings.isValidUTF8(id)
        let plain = PlainString(start: start, length: isPlain ? bytes.count : -1)
        state.pointee.plainStrings[index] = plain
        return plain
    }

    /// True if `content` shows substitutes for some of the string's characters.
    func hasSubstitutes(_ id: StringID) -> Bool {
        guard plainString(id).length < 0 else { return false }
        return tables.strings.bytes(id).contains(where: VisibleSubstitutes.isNeeded)
    }

    // MARK: - Arguments

    /// Begins an argument, whose value must follow.
    @inline(__always) func key(_ key: StaticString) {
        if state.pointee.hasArguments {
            buffer.append(",\"")
        } else {
            buffer.append(",\"args\":{\"")
            state.pointee.hasArguments = true
        }
        buffer.append(key)
        buffer.append("\":")
    }

    @inline(__always) func argument(_ name: StaticString, _ value: Int64) {
        key(name)
        buffer.append(value)
    }

    /// An id of 64 bits that need not fit in a JSON number is written as a string.
    func argument(_ name: StaticString, id value: UInt64) {
        key(name)
        guard value > 1 << 53 else { return buffer.append(value) }
        buffer.append(byte: UInt8(ascii: "\""))
        buffer.append(value)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    func argument(_ name: StaticString, _ value: StringID) {
        if hasSubstitutes(value) { return exactArgument(name, value) }
        key(name)
        buffer.append(byte: UInt8(ascii: "\""))
        content(value)
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// An argument for a string that a name shows with substitutes; none if it shows it exactly.
    func argument(_ name: StaticString, ifSubstituted value: StringID) {
        if hasSubstitutes(value) { exactArgument(name, value) }
    }

    /// A string in quotes of its own, `"\"C:\\\""`: where a string holds `\"` and does not end in a
    /// backslash, every version of Perfetto reads its escapes rightly.
    func exactArgument(_ name: StaticString, _ value: StringID) {
        key(name)
        buffer.append("\"\\\"")
        buffer.appendJSONContent(tables.strings.bytes(value))
        buffer.append("\\\"\"")
    }

    func flag(_ name: StaticString) {
        key(name)
        buffer.append("true")
    }

    /// Says how long before its start here something began, or that it began before the recording.
    func beganBefore(_ startNanoseconds: Int64, since: Int64?) {
        guard let since else { return flag("began_before_recording") }
        argument("clipped_before_ns", startNanoseconds &- since)
    }

    /// Says that something goes on where the recording, or this part of it, ends.
    func goesOn() { flag(isCut ? "clipped_after" : "goes_on_after_recording") }

    /// A stack: its id for catapult, which shows all frames, and an argument for Perfetto, which
    /// ignores the id. Must come before the arguments.
    func stack(_ id: StackID) {
        guard id != .absent else { return }
        if dialect == .catapult {
            buffer.append(",\"sf\":")
            buffer.append(id.rawValue)
            stacks.markUsed(id, self)
        }
        key("stack")
        stacks.appendArgument(id, self)
    }

    /// The first frame of a stack outside the runtime: where the program itself was.
    func frame(_ name: StaticString, of id: StackID) {
        guard id != .absent else { return }
        key(name)
        stacks.appendProgramFrame(id, self)
    }

    /// `main.worker (main.go:42)`
    func content(frame: Frame) {
        content(frame.function)
        buffer.append(" (")
        let file = tables.strings.bytes(frame.file)
        let baseName = (file.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        content(UnsafeBufferPointer(rebasing: file[baseName...]))
        buffer.append(byte: UInt8(ascii: ":"))
        buffer.append(frame.line)
        buffer.append(byte: UInt8(ascii: ")"))
    }
}
