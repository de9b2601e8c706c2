import VestigeCore

/// Where a conversion writes: one output, or parts of it.
struct ConversionOutput {
    let writer: any TraceWriter
    private let place: Place

    private enum Place {
        case whole(any OutputTarget)
        case parts(OutputParts, SplitWriter)
    }

    init(_ conversion: Conversion, _ options: OutputOptions) throws(TraceError) {
        let plan = conversion.plan
        if let limit = conversion.split, case .file(let path) = plan.place {
            let (stem, suffix) = plan.format.divide(path)
            let parts = try OutputParts(stem: stem, suffix: suffix, overwrites: conversion.overwrites)
            let title = conversion.inputs[0] == "-" ? "standard input" : conversion.inputs[0]
            let writer = SplitWriter(
                parts, plan.format, options, limit: limit,
                title: title.split(separator: "/").last.map(String.init) ?? "")
            self.writer = writer
            place = .parts(parts, writer)
        } else {
            let target = try plan.open(overwrites: conversion.overwrites)
            writer = try plan.format.make(target, options)
            place = .whole(target)
        }
    }

    func commit() throws(TraceError) {
        switch place {
        case .whole(let target): try target.commit()
        case .parts(let parts, _): try parts.commit()
        }
    }

    /// What was written, the index of parts last.
    var paths: [String] {
        switch place {
        case .whole(let target): return [target.path]
        case .parts(let parts, let writer):
            let folder = parts.indexPath.dropLast(parts.indexName.count)
            return writer.summaries.map { folder + $0.name } + [parts.indexPath]
        }
    }
}

extension OutputFormat {
    /// A path before and from its suffix: the format's and that of a compression, or whatever it has.
    fileprivate func divide(_ path: String) -> (stem: String, suffix: String) {
        let bare = Formats.withoutCompressionSuffix(path)
        let stem = bare.lowercased().hasSuffix(suffix) ? String(bare.dropLast(suffix.count)) : OutputPlan.stem(of: bare)
        return (stem, String(path.dropFirst(stem.count)))
    }
}
