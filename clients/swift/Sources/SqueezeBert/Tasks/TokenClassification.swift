/// Labels each word of a text, and joins words to entities.
enum TokenClassification: TaskKind {
  static let title = "Token classification"
  static let takesWords = true

  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]] {
    [["logits": [.length, .size(labels.count)]]]
  }

  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type {
    EntitiesAnswer.self
  }

  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row] {
    try require(texts.count == 1, "\(title) takes one text.")
    try requireWindowed("The text", texts[0])
    let tokens = tokens(of: texts[0], context.tokenizer)
    return windows(tokens, size: context.maxLength - 2, overlap: context.overlap)
      .map { context.tokenizer.row($0) }
  }

  private static func tokens(of text: Input, _ tokenizer: Tokenizer) -> [Token] {
    switch text {
    case .text(let text): return tokenizer.encode(text)
    case .words(let words):
      return words.enumerated().flatMap { number, word in
        tokenizer.encode(word).map { token in
          var token = token
          token.word = number
          return token
        }
      }
    }
  }

  /// A word's label in a window, its place, and its distance from the window's edge.
  struct Found {
    var label: String
    var score: Double
    var start: Int
    var end: Int
    var edge = 0
  }

  /// The label of each word, from its first piece.
  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) -> [Int: Found] {
    let logits = outputs["logits"]!
    let labels = context.labels
    var words: [Int: Found] = [:]
    for (i, token) in row.tokens.enumerated() {
      guard let word = token.word else { continue }
      if words[word] == nil {
        let scores = softmax(logits[i * labels.count..<(i + 1) * labels.count])
        let found = best(scores)
        words[word] = Found(
          label: labels[found], score: scores[found], start: Int(token.start), end: 0,
          edge: min(i, row.tokens.count - i))
      }
      words[word]!.end = Int(token.end)
    }
    return words
  }

  static func answer(
    _ parts: [[Int: Found]], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer {
    // Where windows overlap, the one with the most context around a word labels it.
    var found: [Int: Found] = [:]
    for part in parts { found.merge(part) { $1.edge > $0.edge ? $1 : $0 } }
    let places = Places(texts[0].text)
    let words = inOrder(found, texts[0]).map { word in
      EntitiesAnswer.Word(
        label: word.label, score: word.score, word: places.string(word.start, word.end),
        range: places.range(word.start, word.end), start: word.start, end: word.end)
    }
    return EntitiesAnswer(words: words, entities: entities(words, places))
  }

  private static func inOrder(_ found: [Int: Found], _ text: Input) -> [Found] {
    guard case .words(let words) = text else {
      return found.sorted { $0.key < $1.key }.map(\.value)
    }
    var next = 0
    return words.enumerated().map { number, word in
      // The tokenizer removes some words.
      var own = found[number] ?? Found(label: "O", score: 0, start: 0, end: 0)
      own.start = next
      own.end = next + word.unicodeScalars.count
      next = own.end + 1
      return own
    }
  }

  /// Joins neighbouring words of one entity, by labels in the forms BIO, BIOES, BILOU or IO. For
  /// labels without such prefixes, each run of the same label is an entity.
  private static func entities(
    _ words: [EntitiesAnswer.Word], _ places: Places
  ) -> [EntitiesAnswer.Entity] {
    var groups: [[EntitiesAnswer.Word]] = []
    var previous = LabelParts("O")
    for word in words {
      let label = LabelParts(word.label)
      if !label.isOutside {
        let begins = previous.isOutside || label.isFirst || previous.isLast
        if begins || label.kind != previous.kind { groups.append([]) }
        groups[groups.count - 1].append(word)
      }
      previous = label
    }
    return groups.map { group in
      let (start, end) = (group.first!.start, group.last!.end)
      return EntitiesAnswer.Entity(
        group: LabelParts(group.first!.label).name,
        score: group.reduce(0) { $0 + $1.score } / Double(group.count),
        word: places.string(start, end), range: places.range(start, end), start: start, end: end)
    }
  }
}

/// A label's place in an entity, and the entity's kind.
private struct LabelParts {
  let isOutside: Bool
  /// B(egin), S(ingle) or U(nit).
  let isFirst: Bool
  /// E(nd), L(ast), S(ingle) or U(nit).
  let isLast: Bool
  let name: String
  /// The name's bytes, since strings of other bytes can be equal.
  let kind: [UInt8]

  init(_ label: String) {
    let bytes = Array(label.utf8)
    let prefix = bytes.count > 1 && bytes[1] == UInt8(ascii: "-") ? bytes[0] : 0
    let isPrefixed = "BIELSU".utf8.contains(prefix)
    isOutside = bytes == [UInt8(ascii: "O")]
    isFirst = "BSU".utf8.contains(prefix)
    isLast = "ELSU".utf8.contains(prefix)
    kind = isPrefixed ? Array(bytes[2...]) : bytes
    name = String(decoding: kind, as: UTF8.self)
  }
}
