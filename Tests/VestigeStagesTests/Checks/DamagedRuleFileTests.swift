import Vestige
import VestigeTestSupport
import XCTest

/// Rule files that are cut off or changed at any place: they are read, or the mistake is pointed at.
final class DamagedRuleFileTests: XCTestCase {
    private func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
        do throws(TraceError) {
            _ = try RuleFile(bytes: bytes, path: "r.yaml")
        } catch {
            XCTAssertEqual(error.code, .usage, what())
            XCTAssertTrue(error.description.hasPrefix("r.yaml: line "), "\(what()): \(error)")
            XCTAssertFalse(error.expected.isEmpty || error.found.isEmpty, what())
        }
    }

    func testEveryPrefix() throws {
        for name in RuleFileTests.examples {
            let bytes = try RuleFileTests.bytes(name)
            for count in 0..<bytes.count { check(Array(bytes[..<count]), "\(name) up to \(count)") }
        }
    }

    func testEveryPlaceChanged() throws {
        var random = SeededRandom(seed: 8)
        let hostile = Array("*&!{}[]:\"'#|>-?%@`\t\n\r\u{0} ,x9".utf8) + [0x80, 0xff, 0xc2, 0xef]
        for name in RuleFileTests.examples {
            let bytes = try RuleFileTests.bytes(name)
            for place in bytes.indices {
                var changed = bytes
                changed[place] = hostile.randomElement(using: &random)!
                check(changed, "\(name) at \(place): \(changed[place])")
                changed = bytes
                changed.insert(hostile.randomElement(using: &random)!, at: place)
                check(changed, "\(name) before \(place)")
            }
        }
    }
}
