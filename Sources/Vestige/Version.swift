/// The version of Vestige, by semantic versioning.
public let vestigeVersion = "0.1.0"
