/// Where things lie in this package.
public enum PackagePaths {
    /// The folder of Package.swift, without a slash at its end.
    public static let root = String(#filePath.dropLast("/Tests/VestigeTestSupport/PackagePaths.swift".count))
    public static let samples = "\(root)/samples"

    /// A sample recording, e.g. `sample("orders")`.
    public static func sample(_ name: String) -> String { "\(samples)/gotrace-v2/\(name)/\(name).trace" }
}
