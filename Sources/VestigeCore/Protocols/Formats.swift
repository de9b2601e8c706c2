/// What a look at the first bytes of an input tells.
public enum SniffResult: Sendable {
    case yes
    case no
    /// The bytes are too few to tell.
    case needMore
}

/// One input format: how to know it and how to read it.
public struct InputFormat: Sendable {
    /// Unique name, e.g. `gotrace-v2`.
    public let name: String
    /// One line for people.
    public let summary: String
    /// File name suffixes, which only break ties.
    public let suffixes: [String]
    /// Looks at the first bytes (at least 4 KiB where the input has them).
    public let sniff: @Sendable (UnsafeRawBufferPointer) -> SniffResult
    public let open: @Sendable (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader
    /// Divides an input into at most so many parts that can be read independently, for work that needs
    /// no single stream. Nil, or no result, where that cannot be done without changing what is read.
    public let divide: (@Sendable (ByteSource, Int) throws(TraceError) -> [InputPart]?)?

    public init(
        name: String, summary: String, suffixes: [String],
        sniff: @escaping @Sendable (UnsafeRawBufferPointer) -> SniffResult,
        open: @escaping @Sendable (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader,
        divide: (@Sendable (ByteSource, Int) throws(TraceError) -> [InputPart]?)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.suffixes = suffixes
        self.sniff = sniff
        self.open = open
        self.divide = divide
    }
}

/// A stretch of an input that can be read by itself.
public struct InputPart: Sendable {
    public let open: @Sendable (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader

    public init(open: @escaping @Sendable (ByteSource, ReaderContext) throws(TraceError) -> any TraceReader) {
        self.open = open
    }
}

/// What a user asks of an output, beside its place.
public struct OutputOptions {
    /// Which tables to write, for formats that write several; nil for all.
    public var tables: [String]?
    /// The dialect of tables.
    public var tableStyle = TableStyle()
    /// Arrows from whoever creates or wakes a goroutine to that goroutine; nil for what `ViewerContent` chooses.
    public var flows: FlowKinds?
    /// What viewers are to show; nil for what `ViewerContent` chooses.
    public var views: ViewKinds?
    /// Merges short slices; nil for all of them.
    public var thinning: Thinning?
    /// What was lost on the way, for formats that say so in the output.
    public var diagnostics: Diagnostics?

    public init() {}
}

/// Where an output goes: hands out the files that make it up, and commits them together.
public protocol OutputTarget: AnyObject {
    /// True if the format may write several named files (a folder).
    var isFolder: Bool { get }
    /// The name of the single file, or of the folder.
    var path: String { get }
    /// A sink for the single file (name nil) or for a file of the folder.
    func sink(named name: String?) throws(TraceError) -> any ByteSink
    /// Commits everything that was handed out.
    func commit() throws(TraceError)
}

/// One output format.
public struct OutputFormat: Sendable {
    public enum Shape: Sendable {
        case file
        /// A folder of files; a single file where one table is asked for.
        case folder
        /// Nothing is written.
        case nothing
        /// A file that holds the inputs as they are; `make` makes no writer of events.
        case archive
    }

    /// Unique name, the value of `--to`.
    public let name: String
    /// One line for people.
    public let summary: String
    /// Default file name suffix with its dot, empty where there is none.
    public let suffix: String
    public let shape: Shape
    /// True if the output is nothing for a terminal.
    public let isBinary: Bool
    /// Names of the tables that `OutputOptions.tables` may hold.
    public let tableNames: [String]
    /// The table that a single file holds where none is named; nil for formats without tables.
    public let defaultTableName: String?
    /// The names of a table's columns in a style, in their order.
    public let tableColumns: (@Sendable (String, TableStyle) -> [String])?
    /// What the format can show, if it is a viewer's; then `OutputOptions.views`, `flows` and `thinning` mean something.
    public let viewer: ViewerContent?
    public let make: @Sendable (any OutputTarget, OutputOptions) throws(TraceError) -> any TraceWriter

    public init(
        name: String, summary: String, suffix: String, shape: Shape = .file, isBinary: Bool = false,
        tableNames: [String] = [], defaultTableName: String? = nil,
        tableColumns: (@Sendable (String, TableStyle) -> [String])? = nil, viewer: ViewerContent? = nil,
        make: @escaping @Sendable (any OutputTarget, OutputOptions) throws(TraceError) -> any TraceWriter
    ) {
        self.name = name
        self.summary = summary
        self.suffix = suffix
        self.shape = shape
        self.isBinary = isBinary
        self.tableNames = tableNames
        self.defaultTableName = defaultTableName
        self.tableColumns = tableColumns
        self.viewer = viewer
        self.make = make
    }
}
