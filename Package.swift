// swift-tools-version: 6.2
import PackageDescription

// One module per layer, not per format: a new format adds a folder and one line in
// Sources/Vestige/Formats.swift, and leaves this file alone.
let package = Package(
    name: "vestige",
    products: [
        .library(name: "Vestige", targets: ["Vestige"]),
        .executable(name: "vestige", targets: ["vestige-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/ordo-one/TextTable", from: "0.0.2"),
        .package(url: "https://github.com/onevcat/Rainbow", from: "4.2.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "VestigeCore", dependencies: ["CZstd", "CZlib"]),
        .target(
            name: "VestigeStages",
            dependencies: ["VestigeCore", .product(name: "Histogram", package: "hdrhistogram-swift")]),
        .target(
            name: "VestigeReaders",
            dependencies: ["VestigeCore", .product(name: "SwiftProtobuf", package: "swift-protobuf")]),
        .target(name: "VestigeWriters", dependencies: ["VestigeCore", "VestigeStages"]),
        .target(
            name: "VestigeArchive", dependencies: ["VestigeCore", "VestigeReaders", "CZstd", "CXXHash", "CCrypto"]),
        .target(
            name: "Vestige",
            dependencies: [
                "VestigeCore", "VestigeReaders", "VestigeStages", "VestigeWriters", "VestigeArchive", "Yams",
            ]),
        // Apart from Vestige, so that who only converts links no HTTP server.
        .target(
            name: "VestigeView",
            dependencies: [
                "Vestige", .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "vestige-cli",
            dependencies: [
                "Vestige", "VestigeView", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                "TextTable",
                "Rainbow",
            ]),
        // Optimised in debug builds too: it hashes millions of events, several ways.
        .target(
            name: "VestigeTestSupport", dependencies: ["Vestige"], path: "Tests/VestigeTestSupport",
            swiftSettings: [.unsafeFlags(["-O"])]),
        .testTarget(name: "VestigeCoreTests", dependencies: ["VestigeCore", "VestigeTestSupport"]),
        .testTarget(name: "VestigeReadersTests", dependencies: ["Vestige", "VestigeTestSupport"]),
        .testTarget(name: "VestigeStagesTests", dependencies: ["Vestige", "VestigeTestSupport", "Yams"]),
        .testTarget(name: "VestigeWritersTests", dependencies: ["Vestige", "VestigeTestSupport"]),
        .testTarget(name: "VestigeArchiveTests", dependencies: ["Vestige", "VestigeTestSupport"]),
        .testTarget(name: "GoldenTests", dependencies: ["Vestige", "VestigeTestSupport"]),
        // The targets of the package in Fuzz, which compiles them for itself.
        .target(name: "VestigeFuzzTargets", dependencies: ["Vestige"], path: "Fuzz/Targets"),
        .testTarget(name: "FuzzTests", dependencies: ["VestigeFuzzTargets", "VestigeTestSupport"]),
        .testTarget(name: "CLITests", dependencies: ["Vestige", "VestigeTestSupport", "vestige-cli"]),
        .testTarget(name: "VestigeViewTests", dependencies: ["VestigeView", "VestigeTestSupport", "vestige-cli"]),
    ],
    swiftLanguageModes: [.v6]
)
