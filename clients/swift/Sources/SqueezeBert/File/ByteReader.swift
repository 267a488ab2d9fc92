import Foundation

/// Reads little-endian numbers from the bytes of a file, and never beyond their end.
struct ByteReader {
  struct OutOfBounds: Error {}

  let bytes: Data

  init(_ bytes: Data) {
    self.bytes = bytes
  }

  var count: Int { bytes.count }

  func number<T: FixedWidthInteger>(_ type: T.Type, at place: Int) throws -> T {
    guard place >= 0, place <= count - MemoryLayout<T>.size else { throw OutOfBounds() }
    return bytes.withUnsafeBytes {
      T(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: type))
    }
  }

  func uint16(at place: Int) throws -> Int { Int(try number(UInt16.self, at: place)) }
  func uint32(at place: Int) throws -> Int { Int(try number(UInt32.self, at: place)) }
  func int32(at place: Int) throws -> Int { Int(try number(Int32.self, at: place)) }

  func slice(at place: Int, count size: Int) throws -> Data {
    guard place >= 0, size >= 0, place <= count - size else { throw OutOfBounds() }
    let start = bytes.startIndex + place
    return bytes.subdata(in: start..<start + size)
  }

  func text(at place: Int, count size: Int) throws -> String {
    guard let text = String(data: try slice(at: place, count: size), encoding: .utf8) else {
      throw OutOfBounds()
    }
    return text
  }
}
