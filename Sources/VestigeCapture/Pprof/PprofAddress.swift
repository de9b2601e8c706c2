import VestigeCore

/// Where a program serves net/http/pprof: `http://HOST[:PORT][/BASE]`.
public struct PprofAddress: CustomStringConvertible, Sendable {
    public let host: String
    public let port: Int
    /// The path of all profiles, ends in `/debug/pprof`.
    public let path: String

    /// - Throws: `usage` for an address that is none, or cannot be asked.
    public init(_ text: String) throws(TraceError) {
        var rest = Substring(text)
        if let scheme = text.firstRange(of: "://") {
            try Self.check(scheme: text[..<scheme.lowerBound].lowercased())
            rest = text[scheme.upperBound...]
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard let (host, port) = Self.split(authority: rest[..<end]) else {
            throw Self.refusal("an address such as localhost:6060 or http://HOST:PORT/BASE", text)
        }
        guard rest[end...].utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !rest[end...].contains("?"),
            !rest[end...].contains("#")
        else { throw Self.refusal("an address without ?, #, blanks and letters that URLs write with %", text) }
        self.host = host
        self.port = port
        path = Self.base(of: rest[end...]) + "/debug/pprof"
    }

    private static func refusal(_ expected: String, _ found: String) -> TraceError {
        TraceError(.usage, expected: expected, found: "\"\(found)\"")
    }

    private static func check(scheme: String) throws(TraceError) {
        if scheme == "http" { return }
        let advice =
            scheme == "https"
            ? "http://; TLS is not spoken: forward a port (ssh -L, kubectl port-forward), or fetch the files with "
                + "curl while a trace is being recorded" : "http://"
        throw refusal(advice, "\(scheme)://")
    }

    /// A host and a port; nil for what is neither.
    private static func split(authority: Substring) -> (host: String, port: Int)? {
        var (host, port) = (authority, Substring("80"))
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":"), colon == authority.lastIndex(of: ":") {
            (host, port) = (authority[..<colon], authority[authority.index(after: colon)...])
        }
        if host.isEmpty, authority.first == ":" { host = "localhost" }
        let isPlain = host.utf8.allSatisfy { (0x21...0x7e).contains($0) } && !host.contains("@")
        guard !host.isEmpty, isPlain, let number = UInt16(port), number > 0 else { return nil }
        return (String(host), Int(number))
    }

    /// What stands before `/debug/pprof`, also in the address of a single profile.
    private static func base(of path: Substring) -> Substring {
        for place in path.ranges(of: "/debug/pprof").reversed()
        where place.upperBound == path.endIndex || path[place.upperBound] == "/" {
            return path[..<place.lowerBound]
        }
        let end = path.lastIndex { $0 != "/" }.map { path.index(after: $0) } ?? path.startIndex
        return path[..<end]
    }

    /// What the request calls the server.
    var authority: String {
        let name = host.contains(":") ? "[\(host.prefix { $0 != "%" })]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    public var description: String { "http://\(authority)\(path)" }
}
