import Foundation

/// What is wrong with a file, an input or an option, and the way out, in one sentence.
public struct ModelError: LocalizedError, CustomStringConvertible, Equatable, Sendable {
  public let description: String

  init(_ description: String) {
    self.description = description
  }

  public var errorDescription: String? { description }
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  if !condition { throw ModelError(message()) }
}

/// The first characters of a text in quotes, as Python writes them.
func quoted(_ text: String, most: Int) -> String {
  let scalars = text.unicodeScalars.prefix(most)
  let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
  var result = String(quote)
  for scalar in scalars {
    switch scalar {
    case quote, "\\": result += "\\\(scalar)"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\0"..."\u{1F}", "\u{7F}"..."\u{A0}", "\u{AD}":
      result += String(format: "\\x%02x", scalar.value)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + String(quote)
}

/// A whole number with commas between thousands.
func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { result, i in
    if i > 0, (digits.count - i) % 3 == 0 { result += "," }
    result.append(digits[i])
  }
}
