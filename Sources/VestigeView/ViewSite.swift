import Vestige

/// What shows the traces.
public enum Viewer: Sendable {
    /// Perfetto's UI at an address, `https://ui.perfetto.dev` or a copy of it.
    case perfetto(WebAddress)
    /// Catapult, the classic `chrome://tracing`, as one HTML file that the user has.
    case catapult(path: String)

    /// What recordings are converted to for it.
    public var target: ViewerFormat { if case .catapult = self { .chromeJSON } else { .perfetto } }
}

/// What is served: traces and the pages that show them, by path. All paths begin with a random token,
/// which only who knows the address has.
public struct ViewSite: Sendable {
    enum Resource: Sendable {
        case page(ViewPage)
        /// - Parameter isTrace: whether the viewer's own site may read it.
        case file(path: String, type: String, isTrace: Bool)
    }

    public let traces: [ViewedTrace]
    private let viewer: Viewer
    private let token: String
    private let resources: [String: Resource]

    public init(_ traces: [ViewedTrace], viewer: Viewer) {
        self.traces = traces
        self.viewer = viewer
        let token = (0..<2).map { _ in Self.hex(UInt64.random(in: 0 ... .max)) }.joined()
        self.token = token
        var resources = ["/\(token)/": Resource.page(ViewPage.index(traces))]
        for trace in traces {
            let type = trace.format == .chromeJSON ? "application/json" : "application/octet-stream"
            resources["/\(token)/\(trace.name)"] = .file(path: trace.path, type: type, isTrace: true)
            let page: ViewPage
            switch viewer {
            case .perfetto(let address): page = ViewPage.perfetto(trace, address)
            case .catapult(let path):
                page = ViewPage.catapult(trace)
                for (name, path) in Self.catapultFiles(path) {
                    let type = ViewPage.type(ofCatapult: name)
                    resources["/\(token)/\(name)"] = .file(path: path, type: type, isTrace: false)
                }
            }
            resources["/\(token)/view/\(trace.name)"] = .page(page)
        }
        self.resources = resources
    }

    func resource(at path: String) -> Resource? { resources[path] }

    /// The site that may read traces from its own pages; nil for none.
    var viewerOrigin: String? { if case .perfetto(let address) = viewer { address.origin } else { nil } }

    /// The page that lists all traces.
    public func indexAddress(port: UInt16) -> String { "http://127.0.0.1:\(port)/\(token)/" }

    /// The page that shows a trace: works on any port, and asks no other site to fetch anything.
    public func pageAddress(of trace: ViewedTrace, port: UInt16) -> String {
        "\(indexAddress(port: port))view/\(trace.name)"
    }

    /// An address of Perfetto's UI that makes it load the trace; nil where that would be refused.
    public func deepLink(to trace: ViewedTrace, port: UInt16) -> String? {
        guard case .perfetto(let address) = viewer, port == ViewServer.deepLinkPort else { return nil }
        return "\(address.text)#!/?url=\(indexAddress(port: port))\(trace.name)"
    }

    /// The viewer, and the library beside it that gives browsers of today what it is built on.
    private static func catapultFiles(_ path: String) -> [(name: String, path: String)] {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return [
            (ViewPage.catapultViewer, path), (ViewPage.catapultLibrary, folder + ViewPage.catapultLibrary),
        ]
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// An address of a web site, such as `https://ui.perfetto.dev/`.
public struct WebAddress: Sendable {
    /// Scheme, host and port.
    public let origin: String
    /// The whole, ending in `/`.
    public let text: String

    /// Nil for what is no address of a site, or has more than a path.
    public init?(_ text: String) {
        let schemes = ["https://", "http://"]
        guard let scheme = schemes.first(where: text.hasPrefix) else { return nil }
        let parts = text.dropFirst(scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let host = parts[0].lowercased()
        let isPlain = { (text: any StringProtocol, extra: String) in
            text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || extra.utf8.contains($0)
            }
        }
        let path = parts.count > 1 ? String(parts[1]) : ""
        guard !host.isEmpty, isPlain(host, ".-:[]"), isPlain(path, "/._~-") else { return nil }
        origin = scheme + host
        self.text = "\(origin)/\(path)\(path.isEmpty || path.hasSuffix("/") ? "" : "/")"
    }
}
