/// Tokens that are found in a text before it is split into words, such as [MASK].
struct AddedTokens {
  private let contents: [(codes: [UInt32], id: Int)]

  init(_ tokens: [(codes: [UInt32], id: Int)]) {
    contents = tokens.filter { !$0.codes.isEmpty }.sorted { $0.codes.count > $1.codes.count }
  }

  /// A part of a text; an added token if it has an id.
  struct Part {
    var scalars: [SourcedScalar]
    var id: Int?
  }

  /// Splits a text at the tokens; where several begin, the longest one counts.
  func split(_ text: [SourcedScalar]) -> [Part] {
    var parts: [Part] = []
    var begin = 0
    var place = 0
    while place < text.count {
      guard let (codes, id) = contents.first(where: { text.holds($0.codes, at: place) }) else {
        place += 1
        continue
      }
      if begin < place { parts.append(Part(scalars: Array(text[begin..<place]))) }
      begin = place + codes.count
      parts.append(Part(scalars: Array(text[place..<begin]), id: id))
      place = begin
    }
    if begin < text.count { parts.append(Part(scalars: Array(text[begin...]))) }
    return parts
  }
}

extension Array where Element == SourcedScalar {
  fileprivate func holds(_ codes: [UInt32], at place: Int) -> Bool {
    guard place + codes.count <= count else { return false }
    return codes.indices.allSatisfy { self[place + $0].code == codes[$0] }
  }
}
