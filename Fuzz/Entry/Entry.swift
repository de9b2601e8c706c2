import FuzzTargets
import Glibc
import Vestige

/// Runs libFuzzer on one target, which the environment variable VESTIGE_FUZZ names: all targets share one
/// binary, since building it is what takes the time. A variable and not an argument, since libFuzzer starts
/// itself again with its own arguments (to minimise, to merge).
@main enum Entry {
    private static let target: FuzzTarget = {
        let name = getenv("VESTIGE_FUZZ").map { String(cString: $0) } ?? ""
        if let target = FuzzTarget(rawValue: name) { return target }
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        fatalError("VESTIGE_FUZZ must be one of \(names), and is \"\(name)\"")
    }()

    static func main() throws {
        if getenv("VESTIGE_FUZZ").map({ String(cString: $0) }) == "recipe" { return try writeTrace() }
        _ = target
        var argumentCount = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runFuzzer(&argumentCount, &arguments, testOneInput))
    }

    /// Writes the trace that a recipe makes (`Fuzz/fuzz trace`), to look at it with other tools.
    private static func writeTrace() throws {
        let recipe = try ByteSource.open(CommandLine.arguments[1]).prefix(1 << 20)
        try TraceRecipe.trace(of: recipe).withUnsafeBytes {
            try DescriptorSink(descriptor: 1, path: "-").write($0)
        }
    }

    fileprivate static func test(_ input: UnsafeBufferPointer<UInt8>) {
        do {
            try target.run(Array(input))
        } catch {
            fatalError("\(error)")
        }
    }
}

@_cdecl("testOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Entry.test(UnsafeBufferPointer(start: start, count: count))
    return 0
}

/// libFuzzer as a library (`FuzzerInterface.h`): SwiftPM gives the main function of an executable a name of
/// its own, so libFuzzer's is not used.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ testOneInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
