/// A code point of a text, or of what became of it, and the place in the text that it came from.
///
/// Places count code points. `Character` is not of use here: tokens may begin and end within one.
struct SourcedScalar {
  var code: UInt32
  var start: Int32
  var end: Int32

  func replaced(by code: UInt32) -> SourcedScalar {
    SourcedScalar(code: code, start: start, end: end)
  }
}

func sourcedScalars(_ text: String) -> [SourcedScalar] {
  text.unicodeScalars.enumerated().map { place, scalar in
    SourcedScalar(code: scalar.value, start: Int32(place), end: Int32(place) + 1)
  }
}

// The steps by which BERT normalizes a text

private let space: UInt32 = 0x20

/// Removes control characters, and makes all white space spaces.
func cleaned(_ text: [SourcedScalar]) -> [SourcedScalar] {
  text.compactMap { scalar in
    if UnicodeTables.whitespace.contains(scalar.code) { return scalar.replaced(by: space) }
    return UnicodeTables.removed.contains(scalar.code) ? nil : scalar
  }
}

/// Puts spaces around Chinese ideographs.
func ideographsSeparated(_ text: [SourcedScalar]) -> [SourcedScalar] {
  text.flatMap { scalar in
    UnicodeTables.chinese.contains(scalar.code)
      ? [scalar.replaced(by: space), scalar, scalar.replaced(by: space)] : [scalar]
  }
}

/// Decomposes characters (NFD), and removes combining marks.
func accentsStripped(_ text: [SourcedScalar]) -> [SourcedScalar] {
  var parts: [Part] = []
  for scalar in text {
    for (i, code) in decomposition(of: scalar.code).enumerated() {
      parts.append(Part(code: code, isFurther: i > 0))
    }
  }
  sortMarks(&parts)
  // As in the library, sorted parts leave their places in the text behind.
  var source = -1
  var result: [SourcedScalar] = []
  for part in parts {
    if !part.isFurther { source += 1 }
    if !UnicodeTables.stripped.contains(part.code) {
      result.append(text[source].replaced(by: part.code))
    }
  }
  return result
}

/// Characters in lower case, one by one: a sigma has the same form at the end of a word.
func lowercased(_ text: [SourcedScalar]) -> [SourcedScalar] {
  text.flatMap { scalar in
    // Of all characters, only the dotted I becomes two.
    scalar.code == 0x130
      ? [scalar.replaced(by: 0x69), scalar.replaced(by: 0x307)]
      : [scalar.replaced(by: lowercase(of: scalar.code))]
  }
}

private func lowercase(of code: UInt32) -> UInt32 {
  guard let (first, numbers) = UnicodeTables.lowercase.values(of: code) else { return code }
  let step = numbers[numbers.startIndex]
  let difference = numbers[numbers.startIndex + 1]
  return Int(code - first) % step == 0 ? UInt32(Int(code) + difference) : code
}

/// A character of a decomposition; a further one if it is not the first.
private struct Part {
  var code: UInt32
  var isFurther: Bool
}

private func decomposition(of code: UInt32) -> [UInt32] {
  if (0xAC00..<0xD7A4).contains(code) {
    let syllable = code - 0xAC00
    let jamo = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28]
    return syllable % 28 == 0 ? jamo : jamo + [0x11A7 + syllable % 28]
  }
  guard let (_, differences) = UnicodeTables.decomposed.values(of: code) else { return [code] }
  let parts = differences.map { UInt32(Int(code) + $0) }
  return decomposition(of: parts[0]) + (parts[1] == code ? [] : [parts[1]])
}

/// Sorts each run of combining marks by their classes; those of the same class keep their order.
private func sortMarks(_ parts: inout [Part]) {
  let classes = parts.map { UnicodeTables.combining.values(of: $0.code)?.numbers.first ?? 0 }
  var start = 0
  while start < parts.count {
    var end = start
    while end < parts.count, classes[end] > 0 { end += 1 }
    if end - start > 1 {
      // Swift does not promise that its sort keeps the order of equals.
      let order = (start..<end).sorted { (classes[$0], $0) < (classes[$1], $1) }
      let sorted = order.map { parts[$0] }
      parts.replaceSubrange(start..<end, with: sorted)
    }
    start = max(end, start + 1)
  }
}
