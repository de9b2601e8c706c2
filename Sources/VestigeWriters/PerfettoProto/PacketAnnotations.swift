import VestigeCore

// What a track event says besides its name: debug annotations.
extension PacketWriter {
    @inline(__always)
    private func annotate(_ name: AnnotationName, _ field: UInt32, _ value: UInt64) {
        let content = buffer.begin(PerfettoField.Event.annotation)
        buffer.field(PerfettoField.Annotation.nameIID, name.rawValue)
        buffer.field(field, value)
        buffer.end(content)
    }

    @inline(__always) func annotate(_ name: AnnotationName, _ value: Int64) {
        annotate(name, PerfettoField.Annotation.signed, UInt64(bitPattern: value))
    }

    func annotate(_ name: AnnotationName, unsigned value: UInt64) {
        annotate(name, PerfettoField.Annotation.unsigned, value)
    }

    func annotate(_ name: AnnotationName) { annotate(name, PerfettoField.Annotation.bool, 1) }

    /// Says how long before its start here something began, or that it began before the recording.
    func annotate(beganBefore start: Int64, since: Int64?) {
        guard let since else { return annotate(.beganBefore) }
        annotate(.clippedBeforeNanoseconds, start &- since)
    }

    /// Says that something goes on where the recording, or this part of it, ends.
    func annotateGoesOn() { annotate(isCut ? .clippedAfter : .goesOn) }

    /// Several spans in one slice.
    func write(_ block: SpanBlock<some BitwiseCopyable>, on track: UInt64) {
        beginEvent(.sliceBegin, track, at: block.startNanoseconds)
        name {
            $0.buffer.append(block.count)
            $0.buffer.append(" short spans")
        }
        annotate(.spans, unsigned: block.count)
        block.forEachState { state, sum in
            switch state {
            case .running: annotate(.running, .runningNanoseconds, sum.count, sum.nanoseconds)
            case .runnable: annotate(.runnable, .runnableNanoseconds, sum.count, sum.nanoseconds)
            case .syscall: annotate(.syscall, .syscallNanoseconds, sum.count, sum.nanoseconds)
            default: annotate(.waiting, .waitingNanoseconds, sum.count, sum.nanoseconds)
            }
        }
        endEvent()
        endSlice(track, at: block.endNanoseconds)
    }

    private func annotate(_ name: AnnotationName, _ timeName: AnnotationName, _ count: Int64, _ nanoseconds: Int64) {
        annotate(name, count)
        annotate(timeName, nanoseconds)
    }

    func annotate(_ name: AnnotationName, _ string: StringID) {
        let iid = InternedIDs.annotation(string: string)
        if ids.annotationStrings.insert(string.rawValue) {
            intern(PerfettoField.Interned.annotationStrings, iid, text.make { $0.append(string, tables) })
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// A stack, as one line; nothing if there is none.
    func annotate(_ name: AnnotationName, stack: StackID) {
        guard stack != .absent else { return }
        let iid = InternedIDs.annotation(stack: stack)
        if ids.annotationStacks.insert(stack.rawValue) {
            intern(PerfettoField.Interned.annotationStrings, iid, text.make { $0.append(stack: stack, tables) })
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// The place in the program where a stack is; nothing if there is none.
    func annotate(_ name: AnnotationName, programFrameOf stack: StackID) {
        guard stack != .absent else { return }
        let iid = InternedIDs.annotation(frameOf: stack)
        if ids.annotationFrames.insert(stack.rawValue) {
            let frame = text.make { $0.append(programFrameOf: stack, tables) }
            intern(PerfettoField.Interned.annotationStrings, iid, frame)
        }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    func annotate(
        _ name: AnnotationName, goroutine number: UInt64, isNew: Bool, _ body: (PerfettoText) -> Void
    ) {
        let iid = InternedIDs.annotation(goroutine: number)
        if isNew { intern(PerfettoField.Interned.annotationStrings, iid, text.make(body)) }
        annotate(name, PerfettoField.Annotation.stringIID, iid)
    }

    /// A string that will hardly come again.
    func annotate(_ name: AnnotationName, _ body: (PerfettoText) -> Void) {
        let content = buffer.begin(PerfettoField.Event.annotation)
        buffer.field(PerfettoField.Annotation.nameIID, name.rawValue)
        buffer.field(PerfettoField.Annotation.string, text.make(body))
        buffer.end(content)
    }
}
