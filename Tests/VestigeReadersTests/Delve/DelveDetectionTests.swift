import Foundation
import Testing
import Vestige
import VestigeTestSupport

/// Which inputs the Delve readers take, and which they leave to others.
@Suite struct DelveDetectionTests {
    private func format(_ text: String) -> String? {
        let source = ByteSource(bytes: Array(text.utf8), path: "input")
        return try? Formats.detect(source).name
    }

    @Test(arguments: [
        "* Goroutine 1 - User: ./main.go:15 main.main (0x48d9be) (thread 27480)\n",
        "\u{1b}[1m(dlv)\u{1b}[0m bt\r\n0  0x000000000067a444 in \u{1b}[1mmain.f\u{1b}[0m\r\n   at ./main.go:503\r\n",
        "hello\n> goroutine(8): main.short(1)\n",
        "2026-11-23T15:20:33.499132943Z >> goroutine(7): main.add => (3)\n",
        "/tmp/a.go:117 in main.leak\n\t  Goroutine 11 - User: ./main.go:120 main.leak (0x677925)\n\tTotal: 1\n",
        "* Thread 8300 at 0x49e721 /go/src/runtime/sys.s:154 runtime.raise\n",
        "Switched from 1 to 12 (thread 20958)\n", "Thread <nil>\n",
        "Breakpoint 1 set at 0x5aef76 for main.main() ./main.go:115\n",
    ]) func textOfDelve(_ text: String) { #expect(format(text) == "delve-text") }

    @Test(arguments: [
        #"{"id":15,"result":{"Goroutines":[],"Nextg":-1},"error":null}"#,
        #"{ "result" : { "State": {"Pid":1}}, "id": 3, "error": null }"#,
        #"{"Goroutines":[{"id":1}],"Nextg":-1}"#, #"{"method":"RPCServer.State","params":[{}],"id":1}"#,
        #"{"id":63,"result":null,"error":"unknown goroutine 987654"}"#,
        #"{"send_mono_ns":1,"request":{"method":"RPCServer.GetVersion","params":[{}],"id":0}}"#,
        #"[{"id":1,"currentLoc":{"pc":1}}]"#,
        "2026-11-23T15:20:43Z debug layer=rpc <- RPCServer.GetVersion(api.GetVersionIn{})\n",
    ]) func jsonOfDelve(_ text: String) { #expect(format(text) == "delve-json") }

    @Test(arguments: [
        "goroutine 1 [running]:\nmain.main()\n\t/tmp/main.go:5 +0x1d\n",
        #"{"jsonrpc":"2.0","id":1,"result":{"State":1}}"#, #"{"id":1,"result":{"capabilities":{}}}"#,
        #"{"traceEvents":[]}"#,
        #"{"t":10,"kind":"StateTransition","resource":"goroutine","id":1,"from":"NotExist","to":"Runnable"}"#,
        "> quoted text\n> more of it\n", "Thread pools are at 5\n", #"{"method":"initialize","id":1,"params":[]}"#,
    ]) func others(_ text: String) { #expect(!(format(text) ?? "").hasPrefix("delve")) }

    @Test func samplesAndTracesAreNotTaken() throws {
        for path in Samples.files(in: "gotrace-v2", suffix: ".zst") + Samples.files(in: "gotrace-v1", suffix: ".zst") {
            let source = try ByteSource.open(path)
            #expect(!((try? Formats.detect(source).name) ?? "").hasPrefix("delve"), "\(path)")
        }
    }
}
