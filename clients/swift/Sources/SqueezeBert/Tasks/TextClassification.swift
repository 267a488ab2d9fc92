/// A label for a text or a pair, several labels, or numbers.
enum TextClassification: TaskKind {
  static let title = "Sequence classification"

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    [["logits": [.size(labels.count)]], ["probability": [.size(labels.count)]]]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    isRegression(config, labels) ? RegressionAnswer.self : LabelAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try requireOneOrPair(texts, title)
    return [context.truncatedRow(texts)]
  }

  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) -> [Double] {
    let config = context.file.config
    // A file for MediaPipe returns probabilities.
    if let scores = outputs["probability"] { return scores.map(Double.init) }
    let logits = outputs["logits"]!
    if isRegression(config, context.labels) { return logits.map(Double.init) }
    return isMultiLabel(config) ? sigmoid(logits) : softmax(logits)
  }

  static func answer(
    _ parts: [[Double]], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    let labels = context.labels
    let values = zip(labels, parts[0]).map { Score(name: $0, score: $1) }
    if isRegression(context.file.config, labels) {
      return RegressionAnswer(values: values, isTruncated: isTruncated)
    }
    let found = values[best(parts[0])]
    let several = isMultiLabel(context.file.config)
    return LabelAnswer(
      label: found.name, score: found.score,
      labels: several ? values.filter { $0.score >= 0.5 }.map(\.name) : nil,
      scores: values, isTruncated: isTruncated)
  }

  private static func isRegression(_ config: ModelConfig, _ labels: [String]) -> Bool {
    config.problemType.map { $0 == "regression" } ?? (labels.count == 1)
  }

  private static func isMultiLabel(_ config: ModelConfig) -> Bool {
    config.problemType == "multi_label_classification"
  }
}
