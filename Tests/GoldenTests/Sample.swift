import Foundation
import Testing
import VestigeTestSupport

/// One folder of `samples/FORMAT/CASE`.
struct Sample: Sendable, CustomTestStringConvertible {
    var folder: String
    /// The case, e.g. `orders`.
    var name: String
    /// Name of the input within the folder, e.g. `orders.trace`.
    var input: String

    var testDescription: String { input }

    static func all() -> [Sample] {
        let files = FileManager.default
        let formats = (try? files.contentsOfDirectory(atPath: PackagePaths.samples)) ?? []
        return formats.sorted().flatMap { format -> [Sample] in
            let cases = (try? files.contentsOfDirectory(atPath: "\(PackagePaths.samples)/\(format)")) ?? []
            return cases.sorted().compactMap { name in
                let folder = "\(PackagePaths.samples)/\(format)/\(name)"
                let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
                guard let input = names.sorted().first(where: { $0.hasPrefix("\(name).") }) else { return nil }
                return Sample(folder: folder, name: name, input: input)
            }
        }
    }
}
