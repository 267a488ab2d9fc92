/// The tokens of a text or a pair, with the special ones around the texts.
public struct Tokens: Equatable, Sendable {
  public let inputIDs: [Int32]
  /// 0 for the first text, 1 for the second.
  public let tokenTypeIDs: [Int32]
  /// The start and end of each token in its text, in code points; 0 and 0 for the special tokens.
  public let offsets: [Range<Int>]
  /// The place of each token in its text; nil for the special tokens.
  public let ranges: [Range<String.Index>?]
  /// The number of each token's word in its text; nil for the special tokens.
  public let wordIDs: [Int?]
  /// Whether a text was longer than the model takes, and the rest was left out.
  public let isTruncated: Bool

  init(_ row: Row, texts: [String]) {
    let places = texts.map(Places.init)
    inputIDs = row.tokens.map(\.id)
    tokenTypeIDs = row.tokenTypeIDs
    offsets = row.tokens.map { Int($0.start)..<Int($0.end) }
    ranges = row.tokens.map { token in
      token.text.map { places[$0].range(Int(token.start), Int(token.end)) }
    }
    wordIDs = row.tokens.map(\.word)
    isTruncated = row.isTruncated
  }
}
