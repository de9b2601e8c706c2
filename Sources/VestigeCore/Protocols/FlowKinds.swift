/// Which arrows viewers are to show between goroutines.
public struct FlowKinds: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// From whoever creates a goroutine to its begin.
    public static let creation = FlowKinds(rawValue: 1)
    /// From whoever wakes a goroutine, which waited for something other than a channel.
    public static let wakeUp = FlowKinds(rawValue: 2)
    /// From whoever sends, receives or closes to the goroutine that waited on the channel.
    public static let channel = FlowKinds(rawValue: 4)

    public static let all: FlowKinds = [.creation, .wakeUp, .channel]
}
