/// Embeds texts, by the bare model.
enum Embedding: TaskKind {
  static let title = "The bare model"

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    let size = Axis.size(config.hiddenSize)
    return [
      ["last_hidden_state": [.length, size], "pooler_output": [size]],
      ["last_hidden_state": [.length, size]], ["embedding": [size]],
    ]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    EmbeddingAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try requireOneOrPair(texts, title)
    return [context.truncatedRow(texts)]
  }

  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) throws -> [Float] {
    if let embedding = outputs["embedding"] { return embedding }
    let states = outputs["last_hidden_state"]!
    var mean = [Double](repeating: 0, count: context.file.config.hiddenSize)
    for i in 0..<row.tokens.count * mean.count {
      mean[i % mean.count] += Double(states[i]) / Double(row.tokens.count)
    }
    let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    try require(length > 0, "The mean of the hidden states is 0, which has no direction.")
    return mean.map { Float($0 / length) }
  }

  static func answer(
    _ parts: [[Float]], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    EmbeddingAnswer(embedding: parts[0], isTruncated: isTruncated)
  }
}
