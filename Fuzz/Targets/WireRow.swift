/// An argument of a wire event, and where a recipe's model has its value.
enum WireArgument {
    case goroutine, goroutineSequence, goroutineStatus
    case proc, procSequence, procStatus
    /// The thread that holds the proc; the thread itself.
    case holder, thread
    case gcSequence
    case task, string, stack, value
}

/// What an event does to the model of the scheduler.
enum WireEffect {
    case none
    /// The goroutine changes state; the thread takes it (true), loses it (false), or neither.
    case goroutine(GoroutineModel.State, binds: Bool?, isSequenced: Bool)
    case create(GoroutineModel.State)
    case procStart
    case procIdle(isSequenced: Bool)
    case syscall(begins: Bool)
    case switchTo(leaving: GoroutineModel.State)
    case collection
}

/// A timed event of the wire format (`tracev2/events.go`): its arguments, when a sound trace has it, and
/// what it does.
struct WireRow {
    /// What the thread must hold.
    enum Context { case any, proc, goroutine, noGoroutine }
    /// Which proc the event is about.
    enum Proc { case own, another }

    var type: UInt8
    var arguments: [WireArgument]
    var context = Context.goroutine
    /// State of the goroutine the event is about.
    var state: GoroutineModel.State?
    var procState: ProcModel.State?
    var proc = Proc.own
    var effect = WireEffect.none
    var isAboutAnother = false
    /// The first version that has it.
    var version = 22

    var creates: Bool {
        if case .create = effect { true } else { false }
    }

    func fits(_ thread: ThreadModel, _ goroutine: GoroutineModel, _ proc: ProcModel) -> Bool {
        let hasContext =
            switch context {
            case .any: true
            case .proc: thread.proc != nil
            case .goroutine: thread.proc != nil && thread.goroutine != nil
            case .noGoroutine: thread.proc != nil && thread.goroutine == nil
            }
        return hasContext && (state == nil || goroutine.state == state) && (procState == nil || proc.state == procState)
    }

    static let all: [WireRow] = scheduler + annotations + runtime

    private static let scheduler = [
        WireRow(
            type: 10, arguments: [.proc, .procSequence], context: .any, procState: .idle, proc: .another,
            effect: .procStart),
        WireRow(
            type: 11, arguments: [], context: .noGoroutine, procState: .running, effect: .procIdle(isSequenced: false)),
        WireRow(
            type: 12, arguments: [.proc, .procSequence, .holder], context: .any, procState: .syscall, proc: .another,
            effect: .procIdle(isSequenced: true)),
        WireRow(type: 13, arguments: [.proc, .procStatus], context: .any, proc: .another),
        WireRow(
            type: 14, arguments: [.goroutine, .stack, .stack], context: .proc, state: GoroutineModel.State.none,
            effect: .create(.runnable), isAboutAnother: true),
        WireRow(
            type: 15, arguments: [.goroutine], context: .any, state: GoroutineModel.State.none,
            effect: .create(.syscall),
            isAboutAnother: true),
        WireRow(
            type: 16, arguments: [.goroutine, .goroutineSequence], context: .noGoroutine, state: .runnable,
            effect: .goroutine(.running, binds: true, isSequenced: true), isAboutAnother: true),
        WireRow(type: 17, arguments: [], state: .running, effect: .goroutine(.none, binds: false, isSequenced: false)),
        WireRow(
            type: 18, arguments: [], context: .any, state: .syscall,
            effect: .goroutine(.none, binds: false, isSequenced: false)),
        WireRow(
            type: 19, arguments: [.string, .stack], state: .running,
            effect: .goroutine(.runnable, binds: false, isSequenced: false)),
        WireRow(
            type: 20, arguments: [.string, .stack], state: .running,
            effect: .goroutine(.waiting, binds: false, isSequenced: false)),
        WireRow(
            type: 21, arguments: [.goroutine, .goroutineSequence, .stack], context: .any, state: .waiting,
            effect: .goroutine(.runnable, binds: nil, isSequenced: true), isAboutAnother: true),
        WireRow(type: 22, arguments: [.procSequence, .stack], state: .running, effect: .syscall(begins: true)),
        WireRow(type: 23, arguments: [], state: .syscall, procState: .syscall, effect: .syscall(begins: false)),
        WireRow(
            type: 24, arguments: [], context: .any, state: .syscall,
            effect: .goroutine(.runnable, binds: false, isSequenced: false)),
        WireRow(type: 25, arguments: [.goroutine, .thread, .goroutineStatus], context: .any, isAboutAnother: true),
        WireRow(
            type: 45, arguments: [.goroutine, .goroutineSequence], state: .waiting,
            effect: .switchTo(leaving: .waiting),
            isAboutAnother: true, version: 23),
        WireRow(
            type: 46, arguments: [.goroutine, .goroutineSequence], state: .waiting, effect: .switchTo(leaving: .none),
            isAboutAnother: true, version: 23),
        WireRow(
            type: 47, arguments: [.goroutine, .stack, .stack], state: GoroutineModel.State.none,
            effect: .create(.waiting),
            isAboutAnother: true, version: 23),
        WireRow(
            type: 48, arguments: [.goroutine, .thread, .goroutineStatus, .stack], context: .any, isAboutAnother: true,
            version: 23),
    ]

    private static let annotations = [
        WireRow(type: 39, arguments: [.string]),
        WireRow(type: 40, arguments: [.task, .task, .string, .stack]),
        WireRow(type: 41, arguments: [.task, .stack]),
        WireRow(type: 42, arguments: [.task, .string, .stack]),
        WireRow(type: 43, arguments: [.task, .string, .stack]),
        WireRow(type: 44, arguments: [.task, .string, .string, .stack]),
    ]

    private static let runtime = [
        WireRow(type: 9, arguments: [.value, .stack]),
        WireRow(type: 26, arguments: [.string, .stack]),
        WireRow(type: 27, arguments: []),
        WireRow(type: 28, arguments: [.gcSequence], effect: .collection),
        WireRow(type: 29, arguments: [.gcSequence, .stack], effect: .collection),
        WireRow(type: 30, arguments: [.gcSequence], effect: .collection),
        WireRow(type: 31, arguments: [.proc], context: .proc),
        WireRow(type: 32, arguments: [.stack], context: .proc),
        WireRow(type: 33, arguments: [.value, .value], context: .proc),
        WireRow(type: 34, arguments: [.goroutine], context: .any, isAboutAnother: true),
        WireRow(type: 35, arguments: [.stack]),
        WireRow(type: 36, arguments: []),
        WireRow(type: 37, arguments: [.value], context: .proc),
        WireRow(type: 38, arguments: [.value], context: .proc),
        WireRow(type: 128, arguments: [.value, .value, .value], context: .any, version: 23),
        WireRow(type: 131, arguments: [.value, .value], context: .any, version: 23),
        WireRow(type: 136, arguments: [.value], context: .any, version: 23),
    ]
}
