@_exported import VestigeCore
@_exported import VestigeReaders
@_exported import VestigeStages
@_exported import VestigeWriters
