import VestigeCore

/// Reads goroutine profiles in the pprof format (debug=0): `goroutine` and `goroutineleak`.
///
/// Each sample becomes one `observed` event, which stands for all goroutines with this stack and these labels.
/// The mapped files and the comments of a profile become log messages.
public final class ProfileReader: TraceReader {
    /// A profile of a million goroutines has a tenth of this.
    private static let sizeLimit = 256 << 20

    private let source: ByteSource
    private let context: ReaderContext
    private var content: UnsafeMutableRawBufferPointer
    private var fields: ProfileFields
    private var profile: ProfileTables
    /// Where the profile ends: short of the content's end if the rest is damaged.
    private var end = 0
    private var failure: TraceError?
    /// Which of a sample's values counts goroutines.
    private var valueIndex = 0
    private var isLeak = false
    private var pending: [Event] = []
    private var isFinished = false
    private var labelBuffer: [Attribute] = []

    /// - Throws: `unreadable` for a profile of something else.
    public init(_ source: ByteSource, context: ReaderContext) throws(TraceError) {
        self.source = source
        self.context = context
        content = try Self.readAll(source)
        profile = ProfileTables(context)
        fields = ProfileFields(UnsafeRawBufferPointer(content))
        context.tables.sources[Int(context.source)].byteCount = UInt64(content.count)
        collect()
        try findValue()
        if profile.timeNanoseconds != 0 { context.tables.sources[Int(context.source)].clock = .wall }
        describe()
    }

    deinit { content.deallocate() }

    public var bytesConsumed: UInt64 { source.bytesConsumed }

    private static func readAll(_ source: ByteSource) throws(TraceError) -> UnsafeMutableRawBufferPointer {
        var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        var count = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let read: Int
            do throws(TraceError) { read = try source.read(at: UInt64(count), into: rest) } catch {
                buffer.deallocate()
                throw error
            }
            count += read
            if count < buffer.count { break }
            guard count < sizeLimit else {
                buffer.deallocate()
                throw source.error(
                    .unreadable, at: nil, expected: "a profile of at most \(sizeLimit) bytes", found: "a larger one")
            }
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
            buffer.deallocate()
            buffer = larger
            source.discard(before: UInt64(count))
        }
        let content = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        content.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        buffer.deallocate()
        return content
    }

    /// Passes over the profile once; damage ends it.
    private func collect() {
        var fields = fields
        do throws(TraceError) {
            while let field = try fields.next() {
                end = field.offset
                try profile.collect(field)
            }
            end = content.count
        } catch {
            failure = error
            end = error.byteOffset.map(Int.init) ?? end
        }
        profile.finishCollecting()
    }

    private func findValue() throws(TraceError) {
        let strings = context.tables.strings
        let names = profile.sampleTypes.map { strings.string($0.type) }
        if let index = names.firstIndex(where: { $0 == "goroutine" || $0 == "goroutineleak" }) {
            valueIndex = index
            isLeak = names[index] == "goroutineleak"
        } else if let failure, names.allSatisfy(\.isEmpty) {
            // It is cut before its strings, which come last: only the samples' numbers are left.
            if names.isEmpty { throw failure }
        } else {
            throw source.error(
                .unreadable, at: nil, expected: "a profile of goroutines",
                found: names.isEmpty ? "a profile of nothing" : "one of \(names.joined(separator: " and "))")
        }
    }

    private func describe() {
        let strings = context.tables.strings
        func log(_ category: String, _ message: StringID) {
            pending.append(
                Event(
                    kind: .log, timeNanoseconds: profile.timeNanoseconds, name: strings.intern(category),
                    argument1: UInt64(message.rawValue), source: context.source))
        }
        for mapping in profile.mappings {
            let file = strings.string(profile.string(mapping.filename))
            let build = strings.string(profile.string(mapping.buildID))
            let range = "0x\(String(mapping.memoryStart, radix: 16))-0x\(String(mapping.memoryLimit, radix: 16))"
            let parts = [range, "offset 0x\(String(mapping.fileOffset, radix: 16))", file]
            let text = (parts + (build.isEmpty ? [] : ["build id \(build)"])).filter { !$0.isEmpty }
            log("mapping", strings.intern(text.joined(separator: ", ")))
        }
        for comment in profile.comments { log("comment", comment) }
        pending.reverse()
    }

    public func read(into batch: inout EventBatch) throws(TraceError) -> Bool {
        guard !isFinished else { return false }
        while batch.room > 0, let event = pending.popLast() { batch.append(event) }
        do throws(TraceError) {
            while batch.room > 0 {
                guard fields.offset < end, let field = try fields.next() else { break }
                if field.number == ProfileField.sample { batch.append(try event(field)) }
            }
        } catch {
            failure = failure ?? error
            end = 0
        }
        if fields.offset < end || batch.room == 0 { return true }
        if let failure {
            if !batch.isEmpty { return true }
            isFinished = true
            throw failure
        }
        isFinished = true
        return false
    }

    private func event(_ field: ProfileFields.Field) throws(TraceError) -> Event {
        let sample = try ProfileTables.decode(field, as: PprofSample.self)
        var detail = ObservationDetail()
        detail.flags = isLeak ? .leaked : []
        if !sample.label.isEmpty { takeLabels(sample.label, &detail) }
        let count = valueIndex < sample.value.count ? UInt64(clamping: sample.value[valueIndex]) : 0
        let stack: StackID
        do throws(TraceError) { stack = try profile.stack(sample.locationID) } catch {
            var error = error
            error.byteOffset = UInt64(field.offset)
            throw error
        }
        // A profile does not say what its goroutines do; one that is proved to leak waits.
        return Event(
            kind: .observed, timeNanoseconds: profile.timeNanoseconds, stack: stack,
            argument1: context.tables.observations.intern(detail), argument2: count, source: context.source,
            detail: Event.pack(observed: isLeak ? .waiting : .undetermined))
    }

    private func takeLabels(_ labels: [PprofLabel], _ detail: inout ObservationDetail) {
        let strings = context.tables.strings
        labelBuffer.removeAll(keepingCapacity: true)
        for label in labels {
            var value = profile.string(label.str)
            if label.str == 0, label.num != 0 || label.numUnit != 0 {
                let unit = strings.string(profile.string(label.numUnit))
                value = strings.intern("\(label.num)\(unit.isEmpty ? "" : " ")\(unit)")
            }
            labelBuffer.append(Attribute(name: profile.string(label.key), value: value))
        }
        detail.labels = context.tables.observations.intern(labels: labelBuffer, strings)
    }
}
