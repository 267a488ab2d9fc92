// Answers texts on the command line:
//
//     predict FILE [--tokens] < TEXTS
//     predict FILE --self-test
//
// Each line of TEXTS is a JSON object: {"text": ..., "pair": ..., "choices": [...],
// "options": {...}}, all but the first as far as the task needs them. For token classification the
// text may also be a list of words. For each line the answer is
// written as a line of JSON, with the keys of Python's `predict`. With --tokens, `input_ids` and
// `offsets` are written, without a runner. With --self-test, the file's golden examples are run; the
// exit status is 1 if they come out wrong.

import Foundation
import SqueezeBert

/// A mistake of the user, in a sentence.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}

private let high = #"\\u[dD][89abAB][0-9a-fA-F]{2}"#
private let low = #"\\u[dD][c-fC-F][0-9a-fA-F]{2}"#
private let loneSurrogate = "\(high)(?!\(low))|(?<!\(high))\(low)"

/// A line of input.
struct Question {
  let text: String
  let words: [String]?
  let pair: String?
  let choices: [String]?
  let topK: Int?
  let handleImpossibleAnswer: Bool?

  init(_ line: String, number: Int) throws {
    let parsed = try? JSONSerialization.jsonObject(with: Data(line.utf8))
    if parsed == nil, line.range(of: loneSurrogate, options: .regularExpression) != nil {
      throw UsageError(
        description: "The text holds half of a surrogate pair, which is not text: decode its bytes "
          + "again.")
    }
    guard let object = parsed as? [String: Any], let text = object["text"] else {
      throw UsageError(
        description: #"Line \#(number) is not a JSON object with a "text": write one for each text."#)
    }
    words = try (text as? [Any])?.map(string)
    self.text = try words?.joined(separator: " ") ?? string(text)
    pair = try object.given("pair").map(string)
    choices = try (object.given("choices") as? [Any])?.map(string)
    let options = object.given("options") as? [String: Any] ?? [:]
    func refuse(_ reason: String) -> UsageError {
      UsageError(description: "The options of line \(number) are wrong: \(reason).")
    }
    topK = try options.given("top_k").map { value in
      guard let whole = value as? Int else { throw refuse("top_k is not a whole number") }
      return whole
    }
    handleImpossibleAnswer = try options.given("handle_impossible_answer").map { value in
      guard let flag = value as? Bool else {
        throw refuse("handle_impossible_answer is not true or false")
      }
      return flag
    }
    let known = ["handle_impossible_answer", "top_k"]
    if let other = options.keys.sorted().first(where: { !known.contains($0) }) {
      throw refuse("there is no \(other)")
    }
  }
}

extension [String: Any] {
  /// The value of a key; nil if it is missing or null.
  func given(_ key: String) -> Any? {
    self[key] is NSNull ? nil : self[key]
  }
}

func string(_ value: Any) throws -> String {
  if let string = value as? String { return string }
  let json = try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
  throw UsageError(
    description: "\(String(decoding: json, as: UTF8.self)) is not a text: pass a string.")
}

func answer(_ question: Question, _ model: Model<any Answer>) throws -> String {
  if let words = question.words { return try model.predict(words: words).json }
  if let choices = question.choices {
    return try model.predict(question.text, choices: choices).json
  }
  return try model.predict(
    question.text, question.pair, topK: question.topK,
    handleImpossibleAnswer: question.handleImpossibleAnswer
  ).json
}

func tokens(_ question: Question, _ file: ModelFile) throws -> String {
  let tokens = try file.tokenizer.rows(
    question.text, question.pair, maxLength: file.maxLength)[0]
  let offsets = tokens.offsets.map { [$0.lowerBound, $0.upperBound] }
  return #"{"input_ids": \#(tokens.inputIDs), "offsets": \#(offsets)}"#
}

func run() throws {
  let arguments = CommandLine.arguments.dropFirst()
  let flags = arguments.filter { $0.hasPrefix("-") }
  let paths = arguments.filter { !$0.hasPrefix("-") }
  guard paths.count == 1, flags.count <= 1, flags.allSatisfy(["--tokens", "--self-test"].contains)
  else {
    throw UsageError(
      description: "Pass one file: type 'predict FILE [--tokens | --self-test] < TEXTS'.")
  }
  let url = URL(fileURLWithPath: paths[0])
  if flags == ["--tokens"] {
    let file = try ModelFile(url)
    return try forEachLine { try tokens($0, file) }
  }
  let model = try Model<any Answer>.load(url)
  if flags == ["--self-test"] {
    let result = try model.selfTest()
    print(result)
    exit(result.isRight ? 0 : 1)
  }
  try forEachLine { try answer($0, model) }
}

func forEachLine(_ answer: (Question) throws -> String) throws {
  var number = 0
  while let line = readLine() {
    number += 1
    print(try answer(Question(line, number: number)))
  }
}

setvbuf(stdout, nil, _IOLBF, 0)  // so that each answer can be read at once
do {
  try run()
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(2)
}
