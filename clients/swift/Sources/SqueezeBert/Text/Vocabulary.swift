import Foundation

/// The ids of tokens.
///
/// Tokens are arrays of code points: a `String` equals others in which letters with accents are
/// composed otherwise.
struct Vocabulary {
  private(set) var tokens: [String] = []
  private var wholes: [ArraySlice<UInt32>: Int] = [:]
  private var continuations: [ArraySlice<UInt32>: Int] = [:]  // without their "##"

  /// - Parameter content: the content of a vocab.txt, with one token per line.
  init(_ content: Data) throws {
    guard let text = String(data: content, encoding: .utf8) else {
      throw ModelError("The vocabulary 'vocab.txt' is not a text in UTF-8.")
    }
    // A line end after a carriage return is one Character with it, but two scalars.
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.last == "\r" ? $0.dropLast() : $0 }
    while lines.last?.isEmpty == true { lines.removeLast() }
    guard !lines.isEmpty else {
      throw ModelError("The vocabulary 'vocab.txt' is empty: expected one token per line.")
    }
    for (id, line) in lines.enumerated() {
      // A line of white space alone keeps its place; no text holds such a token.
      let end = line.lastIndex { !$0.properties.isWhitespace } ?? line.indices.last
      let codes = end.map { line[...$0].map(\.value) } ?? []
      if let known = wholes[codes[...]] {
        throw ModelError(
          "The vocabulary 'vocab.txt' holds \(quoted(string(codes), most: 60)) twice, in lines "
            + "\(known + 1) and \(id + 1): each token has one id, so rename one of them.")
      }
      add(codes, id: id)
    }
  }

  /// Adds a token under its id, or under the next one.
  mutating func add(_ codes: [UInt32], id: Int) {
    let prefix = codes.prefix(2)
    if prefix == [0x23, 0x23] { continuations[codes[2...]] = id }
    wholes[codes[...]] = id
    if id == tokens.count { tokens.append(string(codes)) }
  }

  func id(of token: String) -> Int? {
    wholes[token.unicodeScalars.map(\.value)[...]]
  }

  /// The id of a piece that begins a word, or of one that continues it.
  func id(ofPiece codes: ArraySlice<UInt32>, continues: Bool) -> Int? {
    continues ? continuations[codes] : wholes[codes]
  }
}

private func string(_ codes: [UInt32]) -> String {
  var scalars = String.UnicodeScalarView()
  scalars.append(contentsOf: codes.compactMap(Unicode.Scalar.init))
  return String(scalars)
}
