import Foundation

/// A token, and its place in its text, in code points.
struct Token {
  var id: Int32
  var start: Int32
  var end: Int32
  /// The number of its word; nil for the special tokens around the texts.
  var word: Int?
  /// The number of its text, 0 or 1; nil for the special tokens around the texts.
  var text: Int?
}

/// The tokens of one text or two, for a call of the model.
struct Row {
  var tokens: [Token]
  var tokenTypeIDs: [Int32]
  /// Whether a text was cut.
  var isTruncated = false
}

/// BERT's tokenizer: from a text to WordPieces that know their place in the text.
public struct Tokenizer {
  let vocabulary: Vocabulary
  /// The token to be predicted, and its id.
  let maskToken: String?
  let mask: Int32?
  private let lowers: Bool
  private let strips: Bool
  private let splitsChinese: Bool
  private let hasTypes: Bool
  private let cls: Int32
  private let sep: Int32
  private let unknown: Int32
  private var raw = AddedTokens([])
  private var normalized = AddedTokens([])

  /// - Parameters:
  ///   - vocabulary: the content of a vocab.txt.
  ///   - config: that of the tokenizer_config.json beside it.
  public init(vocabulary: Data, config: Data) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let config = try decoder.decode(TokenizerConfig.self, from: config)
    try config.checkSupported("The tokenizer")
    try self.init(vocabulary: vocabulary, config: config)
  }

  init(vocabulary content: Data, config: TokenizerConfig) throws {
    var vocabulary = try Vocabulary(content)
    let added = try addTokens(of: config, to: &vocabulary)
    func special(_ name: String, _ token: String?) throws -> Int32 {
      guard let id = token.flatMap(vocabulary.id) else {
        throw ModelError("The vocabulary lacks the \(name) '\(token ?? "null")'")
      }
      return Int32(id)
    }
    cls = try special("cls_token", config.clsToken)
    sep = try special("sep_token", config.sepToken)
    unknown = try special("unk_token", config.unkToken)
    maskToken = config.maskToken
    mask = config.maskToken.flatMap(vocabulary.id).map(Int32.init)
    lowers = config.doLowerCase
    strips = config.stripAccents
    splitsChinese = config.tokenizeChineseChars
    hasTypes = config.modelInputNames.contains("token_type_ids")
    self.vocabulary = vocabulary
    let codes = { (token: AddedToken) in token.content.unicodeScalars.map(\.value) }
    raw = AddedTokens(added.filter { !$0.isNormalized }.map { (codes($0), $0.id) })
    normalized = AddedTokens(
      added.filter(\.isNormalized).map { token in
        (normalize(sourcedScalars(token.content)).map(\.code), token.id)
      })
  }

  /// The number of tokens of the vocabulary, with those that were added.
  public var size: Int { vocabulary.tokens.count }

  /// The tokens of a text or a pair, with the special ones around the texts.
  ///
  /// - Parameters:
  ///   - maxLength: the most tokens of a row: the rest of a text is left out.
  ///   - stride: with it, a long text becomes several rows instead, of which each repeats so many
  ///     tokens of the one before. Of a pair, the second text is split.
  public func rows(
    _ text: String, _ pair: String? = nil, maxLength: Int, stride: Int? = nil
  ) throws -> [Tokens] {
    let texts = [text] + (pair.map { [$0] } ?? [])
    let encoded = texts.map(encode)
    var rows = [row(of: encoded, most: maxLength)]
    if let stride, rows[0].isTruncated {
      let first = encoded.count > 1 ? encoded[0] : []
      let room = maxLength - encoded.count - 1 - first.count
      try require(
        room > stride,
        "stride \(stride) is not below the \(max(room, 0)) tokens of a text that fit into maxLength "
          + "\(maxLength): pass a smaller stride or a greater maxLength.")
      rows = windows(encoded.last!, size: room, overlap: stride).map { window in
        encoded.count > 1 ? row(first, window) : row(window)
      }
    }
    return rows.map { Tokens($0, texts: texts) }
  }

  /// The tokens of a text, without the special ones around it.
  func encode(_ text: String) -> [Token] {
    var tokens: [Token] = []
    var word = 0
    func add(_ id: Int32, _ part: ArraySlice<SourcedScalar>) {
      tokens.append(Token(id: id, start: part.first!.start, end: part.last!.end, word: word))
    }
    let parts = raw.split(sourcedScalars(text)).flatMap { part in
      part.id == nil ? normalized.split(normalize(part.scalars)) : [part]
    }
    for part in parts {
      if let id = part.id {
        add(Int32(id), part.scalars[...])
        word += 1
        continue
      }
      for own in words(of: part.scalars) {
        for (id, piece) in pieces(of: own) { add(id, piece) }
        word += 1
      }
    }
    return tokens
  }

  private func normalize(_ text: [SourcedScalar]) -> [SourcedScalar] {
    var text = cleaned(text)
    if splitsChinese { text = ideographsSeparated(text) }
    if strips { text = accentsStripped(text) }
    return lowers ? lowercased(text) : text
  }

  /// Splits a normalized text at spaces and around each punctuation mark.
  private func words(of text: [SourcedScalar]) -> [ArraySlice<SourcedScalar>] {
    var words: [ArraySlice<SourcedScalar>] = []
    var start = 0
    for (i, scalar) in text.enumerated() {
      let isMark = UnicodeTables.punctuation.contains(scalar.code)
      guard isMark || scalar.code == 0x20 else { continue }
      if start < i { words.append(text[start..<i]) }
      if isMark { words.append(text[i...i]) }
      start = i + 1
    }
    if start < text.count { words.append(text[start...]) }
    return words
  }

  /// The longest pieces of the vocabulary that make a word, or else the unknown token.
  private func pieces(
    of word: ArraySlice<SourcedScalar>
  ) -> [(id: Int32, scalars: ArraySlice<SourcedScalar>)] {
    let unknown = [(id: self.unknown, scalars: word)]
    guard word.count <= 100 else { return unknown }
    let codes = word.map(\.code)
    var pieces: [(id: Int32, scalars: ArraySlice<SourcedScalar>)] = []
    var start = 0
    while start < codes.count {
      var end = codes.count
      var id = vocabulary.id(ofPiece: codes[start..<end], continues: start > 0)
      while id == nil, end > start + 1 {
        end -= 1
        id = vocabulary.id(ofPiece: codes[start..<end], continues: start > 0)
      }
      guard let id else { return unknown }
      let first = word.startIndex
      pieces.append((Int32(id), word[first + start..<first + end]))
      start = end
    }
    return pieces
  }

  // Rows

  /// `[CLS] first [SEP]`, or `[CLS] first [SEP] second [SEP]`.
  func row(_ first: some Collection<Token>, _ second: (any Collection<Token>)? = nil) -> Row {
    let start = Token(id: cls, start: 0, end: 0)
    let end = Token(id: sep, start: 0, end: 0)
    var tokens = [start] + first.map { $0.in(text: 0) } + [end]
    var types = [Int32](repeating: 0, count: tokens.count)
    if let second {
      tokens += second.map { $0.in(text: 1) } + [end]
      let more = tokens.count - types.count
      types += [Int32](repeating: hasTypes ? 1 : 0, count: more)
    }
    return Row(tokens: tokens, tokenTypeIDs: types)
  }

  /// A row of one text or two, of at most `most` tokens: the longer of two texts is cut.
  func row(of texts: [[Token]], most: Int) -> Row {
    let first = texts[0]
    guard texts.count > 1 else {
      var row = row(first.prefix(most - 2))
      row.isTruncated = first.count > most - 2
      return row
    }
    let second = texts[1]
    let room = most - 3
    guard first.count + second.count > room else { return row(first, second) }
    let short = min(first.count, second.count, room / 2)
    let kept = first.count <= second.count ? short : room - short
    var row = row(first.prefix(kept), second.prefix(room - kept))
    row.isTruncated = true
    return row
  }
}

extension Token {
  fileprivate func `in`(text: Int) -> Token {
    var token = self
    token.text = text
    return token
  }
}

/// Windows that together hold all tokens; each repeats the last `overlap` ones of the one before.
func windows(_ tokens: [Token], size: Int, overlap: Int) -> [ArraySlice<Token>] {
  var found: [ArraySlice<Token>] = []
  var start = 0
  repeat {
    found.append(tokens[start..<min(start + size, tokens.count)])
    start += size - overlap
  } while start + overlap < tokens.count
  return found
}

// Added tokens

private struct AddedToken {
  let content: String
  let id: Int
  let isNormalized: Bool
}

/// Adds the tokens that a config lists to a vocabulary, and returns all that are never split.
private func addTokens(
  of config: TokenizerConfig, to vocabulary: inout Vocabulary
) throws -> [AddedToken] {
  var added: [AddedToken] = []
  let listed = config.addedTokensDecoder.map { (Int($0.key) ?? -1, $0.value) }
  for (id, token) in listed.sorted(by: { $0.0 < $1.0 }) {
    try require(!token.content.isEmpty, "An added token is empty")
    guard (vocabulary.id(of: token.content) ?? vocabulary.tokens.count) == id else {
      throw ModelError(
        "The added token \(quoted(token.content, most: 60)) was saved with the id \(id), which is "
          + "neither its id in the vocabulary nor the next one after its end: the tokenizer's "
          + "files do not belong together.")
    }
    vocabulary.add(token.content.unicodeScalars.map(\.value), id: id)
    added.append(AddedToken(content: token.content, id: id, isNormalized: token.normalized ?? false))
  }
  let named = [config.unkToken, config.clsToken, config.sepToken, config.padToken, config.maskToken]
  for content in named.compactMap({ $0 }) {
    if let id = vocabulary.id(of: content), !added.contains(where: { $0.id == id }) {
      added.append(AddedToken(content: content, id: id, isNormalized: false))
    }
  }
  return added
}
