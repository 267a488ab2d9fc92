import Foundation

/// Runs rows of tokens: pads them to a length that the file takes, and takes the outputs apart.
final class Graph {
  private let file: ModelFile
  private let runner: Runner
  /// Whether the runner computes in 16 bits.
  let isHalf: Bool

  init(_ file: ModelFile, _ backend: Backend) throws {
    self.file = file
    isHalf = backend.isHalf
    runner = try backend.open(file)
  }

  /// Passes the outputs for each row on. A file with a fixed batch runs several rows at once.
  ///
  /// - Parameter isTest: whether NaN and infinity are passed on too.
  func run(
    _ rows: [Row], isTest: Bool = false, _ use: (Outputs, Row) throws -> Void
  ) throws {
    let size = file.signatures[0].batch ?? 1
    for start in stride(from: 0, to: rows.count, by: size) {
      try Task.checkCancellation()
      let some = Array(rows[start..<min(start + size, rows.count)])
      for (outputs, row) in zip(try runTogether(some, batch: size), some) {
        if !isTest { try requireFinite(outputs) }
        try use(outputs, row)
      }
    }
  }

  private func runTogether(_ rows: [Row], batch: Int) throws -> [Outputs] {
    try rows.forEach(check)
    let longest = rows.map(\.tokens.count).max()!
    // The shortest that fits; the last one always does.
    let signature = file.signatures.first { ($0.length ?? longest) >= longest }!
    let length = signature.length ?? longest
    let outputs = try runner.run(
      signature, inputs: inputs(rows, batch: batch, length: length), shape: [batch, length])
    try checkSizes(outputs, batch: batch, length: length)
    return rows.indices.map { row in
      outputs.mapValues { values in
        let size = values.count / batch
        return Array(values[row * size..<(row + 1) * size])
      }
    }
  }

  /// The inputs of a call, padded with zeros.
  private func inputs(_ rows: [Row], batch: Int, length: Int) -> [String: [Int32]] {
    var ids = [Int32](repeating: 0, count: batch * length)
    var mask = ids
    var types = ids
    for (number, row) in rows.enumerated() {
      for (i, token) in row.tokens.enumerated() {
        ids[number * length + i] = token.id
        mask[number * length + i] = 1
        types[number * length + i] = row.tokenTypeIDs[i]
      }
    }
    return ["input_ids": ids, "attention_mask": mask, "token_type_ids": types]
  }

  private func checkSizes(_ outputs: Outputs, batch: Int, length: Int) throws {
    for (name, axes) in file.outputs {
      let size = axes.reduce(batch) { product, axis in
        if case .size(let size) = axis { return product * size }
        return product * length
      }
      try require(
        outputs[name]?.count == size,
        "The backend did not return \(size) numbers as \(name): it or '\(file.name)' is damaged.")
    }
  }

  private func requireFinite(_ outputs: Outputs) throws {
    for (name, values) in outputs {
      try require(
        values.allSatisfy(\.isFinite),
        "The model's \(name) hold NaN or infinity: its weights are damaged, or the numbers it "
          + "computes with overflow. Run it in float32, or load its weights again.")
    }
  }

  /// Refuses rows that are too long, and ids for which the model has no embeddings.
  private func check(_ row: Row) throws {
    try require(
      row.tokens.count <= file.maxLength,
      "The input has \(row.tokens.count) tokens, the file takes at most \(file.maxLength): truncate "
        + "it.")
    let config = file.config
    for (name, ids, what, size) in [
      ("input_ids", row.tokens.map(\.id), "vocab_size", config.vocabSize),
      ("token_type_ids", row.tokenTypeIDs, "type_vocab_size", config.typeVocabSize),
    ] {
      let wrong = ids.first { $0 < 0 || $0 >= size }
      try require(
        wrong == nil,
        "\(name) holds \(wrong ?? 0), but must lie in [0, \(size)), the model's \(what): was the "
          + "text tokenized with this model's vocabulary?")
    }
  }
}
