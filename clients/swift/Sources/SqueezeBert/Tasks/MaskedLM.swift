/// Predicts the tokens in place of [MASK].
enum MaskedLM: TaskKind {
  static let title = "Masked language modelling"
  static let options = ["top_k"]

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    [["logits": [.length, .size(config.vocabSize)]]]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    MaskAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try require(
      context.topK >= 1, "top_k must be a whole number from 1, not \(context.topK).")
    try requireOneOrPair(texts, title)
    let mask = context.tokenizer.maskToken ?? "[MASK]"
    let encoded = texts.map { context.tokenizer.encode($0.text) }
    let row = context.tokenizer.row(of: encoded, most: context.maxLength)
    func count(_ tokens: [Token]) -> Int { tokens.filter { $0.id == context.tokenizer.mask }.count }
    let text = quoted(texts[0].text, most: 40)
    try require(
      encoded.map(count).reduce(0, +) == count(row.tokens),
      "The text \(text) has a \(mask) beyond the \(context.maxLength) tokens that the model takes: "
        + "shorten the text.")
    try require(count(row.tokens) > 0, "The text \(text) has no \(mask): add one to fill.")
    return [row]
  }

  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) -> [[Score]] {
    let logits = outputs["logits"]!
    let size = context.file.config.vocabSize
    let tokens = context.tokenizer.vocabulary.tokens
    let places = row.tokens.indices.filter { row.tokens[$0].id == context.tokenizer.mask }
    return places.map { place in
      let scores = softmax(logits[place * size..<(place + 1) * size])
      return largest(scores, count: context.topK).map { Score(name: tokens[$0], score: scores[$0]) }
    }
  }

  static func answer(
    _ parts: [[[Score]]], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    MaskAnswer(masks: parts[0], isTruncated: isTruncated)
  }
}
