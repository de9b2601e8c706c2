import Vestige

/// What `vestige agree` prints.
struct AgreementReport {
    private let agreements: [SnapshotAgreement]
    private let firstNanoseconds: Int64

    init(_ agreements: [SnapshotAgreement], firstNanoseconds: Int64) {
        self.agreements = agreements
        self.firstNanoseconds = firstNanoseconds
    }

    func text() -> String {
        agreements.map { snapshot in
            let compared = snapshot.agreement.comparedCount
            let differences = snapshot.agreement.differences
            let verdict = differences.isEmpty ? "no difference" : Units.counted(UInt64(differences.count), "difference")
            let place = AlignmentReport.line(snapshot.alignment, firstNanoseconds)
            let heading =
                "\(snapshot.path): \(place)\n"
                + "\(Units.counted(UInt64(compared), "goroutine")) compared, \(verdict)\n"
            return differences.reduce(heading) { $0 + "  " + Self.line($1) + "\n" }
        }.joined()
    }

    func json() -> String {
        let object = JSONObject()
        object.add("agree", agreements.allSatisfy(\.agreement.differences.isEmpty))
        object.add(
            "snapshots",
            agreements.map { snapshot in
                let item = JSONObject()
                item.add("file", snapshot.path)
                item.add("at_ns", snapshot.alignment.timeNanoseconds &- firstNanoseconds)
                item.add("clock_ns", snapshot.alignment.timeNanoseconds)
                item.add("placed_by", snapshot.alignment.method.rawValue)
                item.add("compared", Int64(snapshot.agreement.comparedCount))
                item.add("differences", snapshot.agreement.differences.map(Self.json))
                return item
            })
        return object.text + "\n"
    }

    private static func json(_ difference: Difference) -> JSONObject {
        let object = JSONObject()
        object.add("g", difference.goroutine == .absent ? nil : difference.goroutine.rawValue)
        object.add("subject", difference.subject.rawValue)
        object.add("recording", difference.recording)
        object.add("observer", difference.observer)
        return object
    }

    private static func line(_ difference: Difference) -> String {
        let who = difference.goroutine == .absent ? "" : "G\(difference.goroutine.rawValue) "
        return
            "\(who)\(difference.subject.rawValue): recording \(difference.recording); observer \(difference.observer)"
    }
}
