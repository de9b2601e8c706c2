/// A Go version as Delve, the runtime and paths write it.
struct GoVersion: Equatable {
    /// As it is read, without `go`: `1.24.11`.
    var text: String
    var minor: Int

    /// Reads `1.24`, `go1.24.11`, `Go cmd/compile go1.27.3`.
    init?(_ string: some StringProtocol) {
        let bare = string.hasPrefix("1.") ? string.utf8.index(string.startIndex, offsetBy: 2) : nil
        guard let start = string.firstPlace(of: "go1.")?.upperBound ?? bare else { return nil }
        let rest = string[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let minor = Int(rest.split(separator: ".").first ?? ""), minor < 1000 else { return nil }
        text = "1." + rest.split(separator: ".").joined(separator: ".")
        self.minor = minor
    }

    /// The version that the path of a source file of the runtime shows, where its folder is named after it:
    /// `/usr/lib/go-1.19/src/runtime/proc.go`, `…/toolchain@v0.0.1-go1.24.11.linux-amd64/src/…`,
    /// `/home/me/sdk/go1.22.3/src/…`, `/opt/hostedtoolcache/go/1.21.5/x64/src/…`.
    init?(runtimePath path: some StringProtocol) {
        guard let source = path.firstPlace(of: "/src/runtime/") else { return nil }
        for folder in path[..<source.lowerBound].split(separator: "/").reversed() {
            for prefix in ["go-1.", "go1.", "1."] where folder.hasPrefix(prefix) {
                self.init("1." + folder.dropFirst(prefix.count))
                return
            }
            if folder.hasPrefix("toolchain@") {
                self.init(folder)
                return
            }
        }
        return nil
    }
}

extension StringProtocol {
    /// Where a text stands first; without Foundation, and by bytes.
    func firstPlace(of text: String) -> Range<Index>? {
        guard let first = text.utf8.first else { return nil }
        let wanted = Array(text.utf8)
        var start = utf8.startIndex
        while let found = utf8[start...].firstIndex(of: first) {
            if utf8[found...].starts(with: wanted) { return found..<utf8.index(found, offsetBy: wanted.count) }
            start = utf8.index(after: found)
        }
        return nil
    }
}
