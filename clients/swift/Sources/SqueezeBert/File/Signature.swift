import Foundation

/// A way to call a file: a graph with named inputs and outputs.
public struct Signature: Sendable {
  public let key: String
  /// Its number among the signatures of the file.
  public let index: Int
  /// The number of texts of a call; nil if it is free.
  public let batch: Int?
  /// The number of tokens of each text; nil if it is free.
  public let length: Int?
  /// The names of the inputs, in the order of the graph.
  public let inputs: [String]
  /// The outputs in the order of the graph, with their shapes; -1 stands for a free axis.
  public let outputs: [(name: String, shape: [Int])]

  public init(
    key: String, index: Int, batch: Int?, length: Int?, inputs: [String],
    outputs: [(name: String, shape: [Int])]
  ) {
    self.key = key
    self.index = index
    self.batch = batch
    self.length = length
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Whether inputs are to be resized before a call.
  var isFree: Bool { batch == nil || length == nil }
}

/// The signatures of a .tflite; those that take the shortest texts first.
func readSignatures(_ reader: ByteReader, name: String) throws -> [Signature] {
  guard (try? reader.text(at: 4, count: 4)) == "TFL3" else {
    throw ModelError("'\(name)' is not a .tflite file.")
  }
  do {
    let model = try Table(reader, at: try reader.uint32(at: 0))
    let graphs = try model.tables(2)
    let signatures = try model.tables(7).enumerated().map { index, signature in
      let graph = try signature.number(4)
      guard graphs.indices.contains(graph) else { throw ByteReader.OutOfBounds() }
      return try readSignature(signature, index: index, graph: graphs[graph])
    }
    guard !signatures.isEmpty else { throw ByteReader.OutOfBounds() }
    return signatures.sorted { ($0.length ?? 0) < ($1.length ?? 0) }
  } catch is ByteReader.OutOfBounds {
    throw ModelError("'\(name)' is cut off or damaged: copy or export it again.")
  }
}

private func readSignature(_ signature: Table, index: Int, graph: Table) throws -> Signature {
  let tensors = try graph.tables(0)
  func tensorsNamed(_ side: Int) throws -> [(name: String, shape: [Int])] {
    let names = try signature.tables(side).map { (try $0.text(0), try $0.number(1)) }
    return try graph.numbers(1 + side).map { tensor in
      guard tensors.indices.contains(tensor) else { throw ByteReader.OutOfBounds() }
      let name = names.first { $0.1 == tensor }?.0 ?? ""
      return (name, try shape(of: tensors[tensor]))
    }
  }
  let inputs = try tensorsNamed(0)
  let outputs = try tensorsNamed(1)
  guard let shape = inputs.first?.shape, shape.count == 2 else { throw ByteReader.OutOfBounds() }
  return Signature(
    key: try signature.text(2),
    index: index,
    batch: shape[0] < 0 ? nil : shape[0],
    length: shape[1] < 0 ? nil : shape[1],
    inputs: inputs.map(\.name),
    outputs: outputs)
}

private func shape(of tensor: Table) throws -> [Int] {
  let free = try tensor.numbers(7)  // with -1 for a free axis, if there is one
  return free.isEmpty ? try tensor.numbers(0) : free
}

/// A table of a flatbuffer, whose fields are found through a list of their offsets.
private struct Table {
  private let reader: ByteReader
  private let start: Int
  private let fields: Int

  init(_ reader: ByteReader, at start: Int) throws {
    self.reader = reader
    self.start = start
    fields = start - (try reader.int32(at: start))
  }

  /// The place of a field; nil if the table lacks it.
  private func place(_ field: Int) throws -> Int? {
    let place = 4 + 2 * field
    guard place < (try reader.uint16(at: fields)) else { return nil }
    let offset = try reader.uint16(at: fields + place)
    return offset == 0 ? nil : start + offset
  }

  /// The places of the elements of a vector, of 4 bytes each.
  private func places(_ field: Int) throws -> [Int] {
    guard let place = try place(field) else { return [] }
    let vector = place + (try reader.uint32(at: place))
    let count = try reader.uint32(at: vector)
    guard vector + 4 * count < reader.count else { throw ByteReader.OutOfBounds() }
    return (0..<count).map { vector + 4 * ($0 + 1) }
  }

  func number(_ field: Int) throws -> Int {
    try place(field).map { try reader.int32(at: $0) } ?? 0
  }

  func numbers(_ field: Int) throws -> [Int] {
    try places(field).map { try reader.int32(at: $0) }
  }

  func tables(_ field: Int) throws -> [Table] {
    try places(field).map { try Table(reader, at: $0 + reader.uint32(at: $0)) }
  }

  func text(_ field: Int) throws -> String {
    guard let place = try place(field) else { return "" }
    let start = place + (try reader.uint32(at: place))
    return try reader.text(at: start + 4, count: try reader.uint32(at: start))
  }
}
