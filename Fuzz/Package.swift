// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that libFuzzer and its flags stay out of the library. `Fuzz/fuzz` builds it:
// the sanitizers are given on the command line, since they must reach the library's modules too.
let package = Package(
    name: "vestige-fuzzing",
    dependencies: [.package(name: "vestige", path: "..")],
    targets: [
        .target(name: "FuzzTargets", dependencies: [.product(name: "Vestige", package: "vestige")], path: "Targets"),
        .executableTarget(name: "vestige-fuzz", dependencies: ["FuzzTargets"], path: "Entry"),
    ],
    swiftLanguageModes: [.v6]
)
