// Compares the client with the corpus of clients/conformance, and prints how many lines differ.
//
//     swift run conformance clients/conformance

import Foundation
import SqueezeBert

typealias Object = [String: Any]

let folder = URL(fileURLWithPath: CommandLine.arguments.dropFirst().first ?? "clients/conformance")
var tokenizers: [String: Tokenizer] = [:]
var models: [String: Model<any Answer>] = [:]
var differences = 0

func tokenizer(_ name: String) throws -> Tokenizer {
  if let known = tokenizers[name] { return known }
  let files = try tokenizerFiles(name)
  let made = try Tokenizer(
    vocabulary: files["vocab.txt"]!, config: files["tokenizer_config.json"]!)
  tokenizers[name] = made
  return made
}

func tokenizerFiles(_ name: String) throws -> [String: Data] {
  let place = folder.appendingPathComponent("tokenizers/\(name)")
  var files: [String: Data] = [:]
  for file in ["vocab.txt", "tokenizer_config.json"] {
    files[file] = try Data(contentsOf: place.appendingPathComponent(file))
  }
  return files
}

/// Runs a check on each line of a file of the corpus; it returns what differs, if anything.
func compare(_ name: String, _ check: (Object) throws -> String?) throws {
  let url = folder.appendingPathComponent(name)
  guard FileManager.default.fileExists(atPath: url.path) else { return }
  var count = 0
  var differing = 0
  for line in try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")) {
    count += 1
    let difference: String?
    do {
      difference = try check(try JSONSerialization.jsonObject(with: line) as! Object)
    } catch {
      difference = "\(error)"
    }
    guard let difference else { continue }
    differing += 1
    if differing <= 10 { print("\(name), line \(count): \(difference)") }
  }
  differences += differing
  print("\(name): \(count) lines, \(differing) differ")
}

// Tokens

func difference(_ tokens: Tokens, _ row: Object, _ texts: [String]) -> String? {
  let ids = row["input_ids"] as! [Int]
  let types = row["token_type_ids"] as? [Int] ?? ids.map { _ in 0 }
  let words = (row["word_ids"] as! [Any]).map { $0 as? Int }
  let offsets = row["offsets"] as! [Int]
  let utf16 = row["offsets_utf16"] as? [Int] ?? offsets
  if tokens.inputIDs.map(Int.init) != ids { return "input_ids \(tokens.inputIDs), not \(ids)" }
  if tokens.tokenTypeIDs.map(Int.init) != types { return "token_type_ids" }
  if tokens.wordIDs != words { return "word_ids \(tokens.wordIDs), not \(words)" }
  if tokens.offsets.flatMap({ [$0.lowerBound, $0.upperBound] }) != offsets {
    return "offsets \(tokens.offsets), not \(offsets)"
  }
  // The ranges, counted in UTF-16. A row's types tell the text that a token is of.
  let ranges = zip(tokens.ranges, types).flatMap { range, type -> [Int] in
    guard let range else { return [0, 0] }
    let units = texts[type].utf16
    return [range.lowerBound, range.upperBound].map { units.distance(from: units.startIndex, to: $0) }
  }
  return ranges == utf16 ? nil : "ranges \(ranges), not \(utf16)"
}

try compare("tokens.jsonl") { line in
  let text = line["text"] as! String
  let pair = line["pair"] as? String
  let rows = try tokenizer(line["tokenizer"] as! String).rows(
    text, pair, maxLength: line["max_length"] as? Int ?? 512, stride: line["stride"] as? Int)
  let expected = line["rows"] as! [Object]
  if rows.count != expected.count { return "\(rows.count) rows, not \(expected.count)" }
  let texts = [text] + (pair.map { [$0] } ?? [])
  return zip(rows, expected).lazy.compactMap { difference($0, $1, texts) }.first
}

try compare("codepoints.jsonl") { line in
  let (first, last) = (line["first"] as! Int, line["last"] as! Int)
  for code in first...last {
    let text = "a\(Unicode.Scalar(UInt32(code))!)b"
    let tokens = try tokenizer(line["tokenizer"] as! String).rows(text, maxLength: 512)[0]
    if let found = difference(tokens, line["row"] as! Object, [text]) {
      return "U+\(String(code, radix: 16)): \(found)"
    }
  }
  return nil
}

// Answers

/// How far numbers may lie apart: by an amount, or by a part of their size.
struct Tolerance {
  var amount: Double
  var part = 0.0
}

/// Whether an answer is the expected one.
func equal(_ a: Any, _ b: Any, _ tolerance: Tolerance) -> Bool {
  switch (a, b) {
  case let (a as [Any], b as [Any]):
    return a.count == b.count && zip(a, b).allSatisfy { equal($0, $1, tolerance) }
  case let (a as Object, b as Object):
    return a.count == b.count
      && a.allSatisfy { key, value in b[key].map { equal(value, $0, tolerance) } ?? false }
  case let (a as String, b as String):
    return a.utf8.elementsEqual(b.utf8)
  case let (a as Double, b as Double):
    return abs(a - b) <= max(tolerance.amount, tolerance.part * abs(b))
  default:
    return false
  }
}

func difference(
  _ model: Model<any Answer>, _ line: Object, _ tolerance: Tolerance
) throws -> String? {
  let text = line["text"] as! String
  let options = line["options"] as? Object ?? [:]
  let answer: any Answer
  if let choices = line["choices"] as? [String] {
    answer = try model.predict(text, choices: choices)
  } else {
    answer = try model.predict(
      text, line["pair"] as? String, topK: options["top_k"] as? Int,
      handleImpossibleAnswer: options["handle_impossible_answer"] as? Bool)
  }
  let found = try JSONSerialization.jsonObject(with: Data(answer.json.utf8))
  return equal(found, line["answer"]!, tolerance) ? nil : "\(answer.json), not \(line["answer"]!)"
}

/// Returns given outputs, call after call, as a file of a fixed length does.
final class Player: Runner {
  let signature: Signature
  private var outputs: [[String: [Float]]]

  init(_ line: Object) {
    let length = line["max_length"] as! Int
    var rows = line["outputs"] as! [[String: [Any]]]
    for i in rows.indices {
      for (name, values) in rows[i] where Player.isByPosition(name, line["task"] as! String) {
        // They are longer than the row already, but not all of the same length.
        let further = max(0, length - values.count)
        rows[i][name] = values.prefix(length) + Array(repeating: values[0], count: further)
      }
      if let states = rows[i]["last_hidden_state"] { rows[i]["pooler_output"] = states[0] as? [Any] }
    }
    outputs = rows.map { $0.mapValues(Player.flat) }.reversed()
    signature = Signature(
      key: "", index: 0, batch: 1, length: length,
      inputs: ["input_ids", "attention_mask", "token_type_ids"],
      outputs: rows[0].map { ($0.key, [1] + Player.shape($0.value)) })
  }

  private static func isByPosition(_ output: String, _ task: String) -> Bool {
    ["token-classification", "question-answering", "fill-mask"].contains(task)
      || output == "last_hidden_state"
  }

  private static func shape(_ value: Any) -> [Int] {
    (value as? [Any]).map { [$0.count] + shape($0[0]) } ?? []
  }

  private static func flat(_ value: Any) -> [Float] {
    (value as? [Any])?.flatMap(flat) ?? [Float(value as! Double)]
  }

  func run(_ signature: Signature, inputs: [String: [Int32]], shape: [Int]) -> [String: [Float]] {
    outputs.removeLast()
  }
}

let architectures = [
  "feature-extraction": "SqueezeBertModel",
  "fill-mask": "SqueezeBertForMaskedLM",
  "multiple-choice": "SqueezeBertForMultipleChoice",
  "question-answering": "SqueezeBertForQuestionAnswering",
  "text-classification": "SqueezeBertForSequenceClassification",
  "token-classification": "SqueezeBertForTokenClassification",
]

try compare("answers.jsonl") { line in
  let config: Object = [
    "architectures": [architectures[line["task"] as! String]!],
    "id2label": line["id2label"] ?? Object(),
    "problem_type": line["problem_type"] ?? NSNull(),
    "hidden_size": 6,
    "max_position_embeddings": line["max_length"]!,
    "type_vocab_size": 2,
    "vocab_size": try tokenizer(line["tokenizer"] as! String).size,
  ]
  var files = try tokenizerFiles(line["tokenizer"] as! String)
  files["config.json"] = try JSONSerialization.data(withJSONObject: config)
  let player = Player(line)
  let file = try ModelFile(folder, "a line", [player.signature], files)
  return try difference(Model(file, Backend { _ in player }), line, Tolerance(amount: 1e-6, part: 1e-5))
}

try compare("models.jsonl") { line in
  let name = line["model"] as! String
  if models[name] == nil {
    models[name] = try Model.load(folder.appendingPathComponent("models/\(name)"))
  }
  return try difference(
    models[name]!, line, Tolerance(amount: line["tolerance"] as! Double))
}

exit(differences == 0 ? 0 : 1)
