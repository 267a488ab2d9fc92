import Foundation

// JSON of answers. Foundation's encoders do not keep the order of keys, which for scores of tokens
// is that of the scores.

/// An object of keys and values that are JSON already.
func object(_ members: [(String, String)]) -> String {
  "{" + members.map { "\(literal($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
}

func array(_ elements: [String]) -> String {
  "[" + elements.joined(separator: ", ") + "]"
}

func literal(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\0"..."\u{1F}": result += String(format: "\\u%04x", scalar.value)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

private func scores(_ scores: [Score]) -> String {
  object(scores.map { ($0.name, "\($0.score)") })
}

private func truncated(_ answer: some Answer) -> [(String, String)] {
  answer.isTruncated ? [("truncated", "true")] : []
}

private func place(start: Int, end: Int) -> [(String, String)] {
  [("start", "\(start)"), ("end", "\(end)")]
}

extension LabelAnswer {
  public var json: String {
    let several = labels.map { [("labels", array($0.map(literal)))] } ?? []
    return object(
      [("label", literal(label)), ("score", "\(score)")] + several
        + [("scores", SqueezeBert.scores(scores))] + truncated(self))
  }
}

extension RegressionAnswer {
  public var json: String {
    object([("values", scores(values))] + truncated(self))
  }
}

extension EntitiesAnswer {
  public var json: String {
    let words = words.map {
      object(
        [("label", literal($0.label)), ("score", "\($0.score)")]
          + place(start: $0.start, end: $0.end) + [("word", literal($0.word))])
    }
    let entities = entities.map {
      object(
        [("entity_group", literal($0.group)), ("score", "\($0.score)"), ("word", literal($0.word))]
          + place(start: $0.start, end: $0.end))
    }
    return object([("words", array(words)), ("entities", array(entities))])
  }
}

extension SpanAnswer {
  public var json: String {
    object(
      [("answer", literal(answer)), ("score", "\(score)")] + place(start: start, end: end))
  }
}

extension MaskAnswer {
  public var json: String {
    object([("masks", array(masks.map(scores)))] + truncated(self))
  }
}

extension ChoiceAnswer {
  public var json: String {
    object(
      [
        ("choice", literal(choice)), ("index", "\(index)"),
        ("scores", array(scores.map { "\($0)" })),
      ] + truncated(self))
  }
}

extension EmbeddingAnswer {
  public var json: String {
    object([("embedding", array(embedding.map { "\($0)" }))] + truncated(self))
  }
}
