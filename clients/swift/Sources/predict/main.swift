// Answers texts on the command line:
//
//     predict FILE [--tokens] < TEXTS
//
// Each line of TEXTS is a JSON object: {"text": ..., "pair": ..., "choices": [...],
// "options": {...}}, all but the first as far as the task needs them. For each line the answer is
// written as a line of JSON, with the keys of Python's `predict`. With --tokens, `input_ids` and
// `offsets` are written, without a runner.

import Foundation
import SqueezeBert

/// A mistake of the user, in a sentence.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}

/// A line of input.
struct Question {
  let text: String
  let pair: String?
  let choices: [String]?
  let topK: Int?
  let handleImpossibleAnswer: Bool?

  init(_ line: String, number: Int) throws {
    let parsed = try? JSONSerialization.jsonObject(with: Data(line.utf8))
    guard let object = parsed as? [String: Any], let text = object["text"] else {
      throw UsageError(
        description: #"Line \#(number) is not a JSON object with a "text": write one for each text."#)
    }
    func string(_ value: Any) throws -> String {
      if let string = value as? String { return string }
      throw UsageError(description: "\(value) is not a text: pass a string.")
    }
    func given(_ value: Any?) -> Any? { value is NSNull ? nil : value }
    self.text = try string(text)
    pair = try given(object["pair"]).map(string)
    choices = try (given(object["choices"]) as? [Any])?.map(string)
    let options = given(object["options"]) as? [String: Any] ?? [:]
    let known = ["handle_impossible_answer", "top_k"]
    if let other = options.keys.filter({ !known.contains($0) }).min() {
      throw UsageError(description: "There is no option \(other): the options are \(known).")
    }
    topK = given(options["top_k"]) as? Int
    handleImpossibleAnswer = given(options["handle_impossible_answer"]) as? Bool
  }
}

func answer(_ question: Question, _ model: Model<any Answer>) throws -> String {
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
  var arguments = Array(CommandLine.arguments.dropFirst())
  let onlyTokens = arguments.contains("--tokens")
  arguments.removeAll { $0 == "--tokens" }
  guard arguments.count == 1, !arguments[0].hasPrefix("-") else {
    throw UsageError(description: "Pass one file: type 'predict FILE [--tokens] < TEXTS'.")
  }
  let url = URL(fileURLWithPath: arguments[0])
  let answering: (Question) throws -> String
  if onlyTokens {
    let file = try ModelFile(url)
    answering = { try tokens($0, file) }
  } else {
    let model = try Model<any Answer>.load(url)
    answering = { try answer($0, model) }
  }
  var number = 0
  while let line = readLine() {
    number += 1
    print(try answering(Question(line, number: number)))
  }
}

setvbuf(stdout, nil, _IOLBF, 0)  // so that each answer can be read at once
do {
  try run()
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(2)
}
