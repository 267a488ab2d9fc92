import Foundation

// The marks of a zip's records, and their sizes.
private let endMark = 0x0605_4B50
private let endSize = 22
private let entryMark = 0x0201_4B50
private let entrySize = 46
private let localSize = 30

/// The files in the zip behind a .tflite, by name. They are stored, not compressed.
func readBundle(_ reader: ByteReader, name: String) throws -> [String: Data] {
  do {
    let files = try readZip(reader)
    if files["config.json"] != nil { return files }
  } catch is ByteReader.OutOfBounds {}
  throw ModelError(
    "'\(name)' carries no config.json: it is damaged, or not a .tflite that this package exported.")
}

private func readZip(_ reader: ByteReader) throws -> [String: Data] {
  func require(_ condition: Bool) throws {
    if !condition { throw ByteReader.OutOfBounds() }
  }
  let end = reader.count - endSize
  try require(try reader.uint32(at: end) == endMark)
  let size = try reader.uint32(at: end + 12)
  // A zip that was made separately counts from its own start.
  let shift = end - size - (try reader.uint32(at: end + 16))
  var files: [String: Data] = [:]
  var entry = end - size
  while entry < end {
    let isStored = try reader.uint16(at: entry + 10) == 0
    try require(try reader.uint32(at: entry) == entryMark && isStored)
    let length = try reader.uint16(at: entry + 28)
    let name = try reader.text(at: entry + entrySize, count: length)
    if name.hasSuffix(".json") || name.hasSuffix(".txt") {
      let local = try reader.uint32(at: entry + 42) + shift
      let head = try reader.uint16(at: local + 26) + reader.uint16(at: local + 28)
      let start = local + localSize + head
      files[name] = try reader.slice(at: start, count: try reader.uint32(at: entry + 24))
    }
    let further = try reader.uint16(at: entry + 30) + reader.uint16(at: entry + 32)
    entry += entrySize + length + further
  }
  return files
}
