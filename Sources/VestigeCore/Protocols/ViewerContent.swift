/// What a viewer's format can show, and what of it a file shows where nothing is asked for.
public struct ViewerContent: Sendable {
    /// All views that the format has.
    public let all: ViewKinds
    /// Those that explain a program at first sight. The others take long to load and repeat what these tell, or hardly
    /// anybody looks at them.
    public let byDefault: ViewKinds

    public init(all: ViewKinds, byDefault: ViewKinds) { (self.all, self.byDefault) = (all, byDefault) }

    /// The views to show. Whoever asks for arrows sees the goroutines between which they lead.
    public func views(_ options: OutputOptions) -> ViewKinds {
        if let views = options.views { return views.intersection(all) }
        return options.flows ?? [] == [] ? byDefault : byDefault.union(.goroutines)
    }

    /// The arrows to show: with all views all of them, and else those to what is created. The others are as many as
    /// wake-ups, and who wakes a goroutine is told where it waits, too.
    public func flows(_ options: OutputOptions) -> FlowKinds {
        guard views(options).contains(.goroutines) else { return [] }
        return options.flows ?? (views(options) == all ? .all : .creation)
    }

    /// What is not shown, for people; nil if everything is.
    public func leftOut(_ options: OutputOptions) -> String? {
        let missing = all.subtracting(views(options))
        var names = ViewKinds.named.filter { missing.contains($0.kind) }.map(\.name)
        let arrows = FlowKinds.all.subtracting(flows(options))
        if arrows.contains(.wakeUp), arrows.contains(.channel) {
            names.append(arrows.contains(.creation) ? "arrows" : "arrows of wake-ups")
        }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }
}
