/// Finds the answer to a question in a context.
enum QuestionAnswering: TaskKind {
  static let title = "Question answering"
  static let options = ["handle_impossible_answer"]
  private static let mostAnswerTokens = 30

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    [["start_logits": [.length], "end_logits": [.length]]]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    SpanAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try require(texts.count == 2, "\(title) takes a question and a context.")
    try requireWindowed("The question", texts[0])
    try requireWindowed("The context", texts[1])
    let tokenizer = context.tokenizer
    let question = tokenizer.encode(texts[0].text)
    let tokens = tokenizer.encode(texts[1].text)
    let (most, overlap) = (context.maxLength, context.overlap)
    let room = most - 3 - question.count
    if tokens.count <= room { return [tokenizer.row(question, tokens)] }
    try require(
      room > overlap,
      "The question \(quoted(texts[0].text, most: 60)) has \(question.count) tokens, but only "
        + "\(max(most - overlap - 4, 0)) leave room for the context at max_length \(most) and "
        + "stride \(overlap): shorten it, or pass a greater max_length.")
    return windows(tokens, size: room, overlap: overlap).map { tokenizer.row(question, $0) }
  }

  /// The score of "no answer" in a window, and the window's best answer.
  struct Part {
    var none: Double
    var span = Span(score: 0, start: 0, end: 0)
  }

  struct Span {
    var score: Double
    var start: Int
    var end: Int
  }

  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) -> Part {
    let tokens = row.tokens
    // [CLS] stands for "no answer": it takes its part of the probability, but is not a span.
    func scores(_ side: String) -> [Double] {
      let logits = outputs["\(side)_logits"]!
      return softmax(
        tokens.enumerated().map { i, token in
          i == 0 || token.text == 1 ? logits[i] : -Float.infinity
        })
    }
    let (start, end) = (scores("start"), scores("end"))
    var part = Part(none: start[0] * end[0])
    for first in tokens.indices.dropFirst() {
      for last in first..<min(first + mostAnswerTokens, tokens.count) {
        let score = start[first] * end[last]
        if score > part.span.score {
          part.span = Span(
            score: score, start: Int(tokens[first].start), end: Int(tokens[last].end))
        }
      }
    }
    return part
  }

  static func answer(
    _ parts: [Part], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    let none = parts.map(\.none).min()!
    var best = parts[0].span
    for part in parts where part.span.score > best.score { best = part.span }
    if context.handlesImpossibleAnswer, none > best.score {
      best = Span(score: none, start: 0, end: 0)
    }
    let places = Places(texts[1].text)
    return SpanAnswer(
      answer: places.string(best.start, best.end), score: best.score,
      range: places.range(best.start, best.end), start: best.start, end: best.end)
  }
}
