import Foundation

// The marks of a zip's records, and their sizes.
private let endMark = 0x0605_4B50
private let endSize = 22
private let entryMark = 0x0201_4B50
private let entrySize = 46
private let localSize = 30

/// What is wrong with a zip, as a predicate.
private struct Fault: Error {
  static let directory = Fault(what: "ends in a damaged directory of files")

  let what: String
}

/// The files in the zip behind a .tflite, by name. They are stored, not compressed.
func readBundle(_ reader: ByteReader, name: String) throws -> [String: Data] {
  let lacks = "'\(name)' carries no config.json:"
  let end = reader.count - endSize
  try require(
    (try? reader.uint32(at: end)) == endMark,
    "\(lacks) it is damaged, or not a .tflite that this package exported.")
  do {
    let files = try readZip(reader, end: end)
    try require(files["config.json"] != nil, "\(lacks) this package did not export it.")
    return files
  } catch is ByteReader.OutOfBounds {
    throw other(name, .directory)
  } catch let fault as Fault {
    throw other(name, fault)
  }
}

private func other(_ name: String, _ fault: Fault) -> ModelError {
  ModelError("'\(name)' \(fault.what): this package did not export it like this.")
}

private func readZip(_ reader: ByteReader, end: Int) throws -> [String: Data] {
  func require(_ condition: Bool, _ fault: Fault) throws {
    if !condition { throw fault }
  }
  var entry = end - (try reader.uint32(at: end + 12))
  // A zip that was made separately counts from its own start.
  let shift = entry - (try reader.uint32(at: end + 16))
  try require(shift >= 0, .directory)
  var files: [String: Data] = [:]
  while entry < end {
    try require(try reader.uint32(at: entry) == entryMark, .directory)
    let length = try reader.uint16(at: entry + 28)
    let name = try reader.text(at: entry + entrySize, count: length)
    if name.hasSuffix(".json") || name.hasSuffix(".txt") {
      let isStored = try reader.uint16(at: entry + 10) == 0
      try require(isStored, Fault(what: "carries compressed files"))
      let local = try reader.uint32(at: entry + 42) + shift
      let head = try reader.uint16(at: local + 26) + reader.uint16(at: local + 28)
      let start = local + localSize + head
      let content = try reader.slice(at: start, count: try reader.uint32(at: entry + 24))
      let isWhole = try Int(checksum(content)) == reader.uint32(at: entry + 16)
      try require(isWhole, Fault(what: "holds a damaged \(name)"))
      files[name] = content
    }
    let further = try reader.uint16(at: entry + 30) + reader.uint16(at: entry + 32)
    entry += entrySize + length + further
  }
  return files
}

/// What the CRC-32 makes of each byte.
private let remainders = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { remainder, _ in
    remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0)
  }
}

private func checksum(_ bytes: Data) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    remainders[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8
  }
}
