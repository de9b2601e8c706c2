/// The bytes of a recipe, one after the other; zeros behind the end.
struct RecipeSteps {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func next() -> UInt8 {
        defer { position += 1 }
        return position < bytes.count ? bytes[position] : 0
    }
}

/// How a step is done: with which number, after how much time, and what is wrong with it.
struct RecipeStep {
    enum Deviation { case none, wrongSequence, wrongThread }

    let bits: UInt8
    /// 0 to 7.
    var index: Int { Int(bits & 7) }
    var delta: UInt64 { [0, 1, 40, 3000][Int(bits >> 3 & 3)] }

    var deviation: Deviation {
        switch bits >> 5 {
        case 6: .wrongSequence
        case 7: .wrongThread
        default: .none
        }
    }

    init(_ bits: UInt8) { self.bits = bits }
}
