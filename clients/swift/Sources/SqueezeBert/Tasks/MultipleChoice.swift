/// Chooses which of several texts fits a text. Each choice makes a row.
enum MultipleChoice: TaskKind {
  static let title = "Multiple choice"

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    [["logits": [.size(1)]]]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    ChoiceAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try require(texts.count >= 3, "\(title) takes a text and at least two choices.")
    return texts.dropFirst().map { context.truncatedRow([texts[0], $0]) }
  }

  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) -> Float {
    outputs["logits"]![0]
  }

  static func answer(
    _ parts: [Float], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    let index = best(parts)
    return ChoiceAnswer(
      choice: texts[index + 1].text, index: index, scores: softmax(parts),
      isTruncated: isTruncated)
  }
}
