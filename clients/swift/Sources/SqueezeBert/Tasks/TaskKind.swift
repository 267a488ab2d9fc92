/// What a text is, for token classification also a list of words.
enum Input {
  case text(String)
  case words([String])

  /// The text; that of words is joined by spaces.
  var text: String {
    switch self {
    case .text(let text): return text
    case .words(let words): return words.joined(separator: " ")
    }
  }
}

/// What a task knows of its model.
struct TaskContext {
  let file: ModelFile
  /// The number of tokens that a row may have.
  let maxLength: Int
  var topK = 5
  var handlesImpossibleAnswer = false

  var tokenizer: Tokenizer { file.tokenizer }
  var labels: [String] { file.labels }

  /// The number of tokens that a window repeats from the one before.
  var overlap: Int { min(128, maxLength / 4) }

  /// A row of one text or two, which are cut if they are too long.
  func truncatedRow(_ texts: [Input]) -> Row {
    tokenizer.row(of: texts.map { tokenizer.encode($0.text) }, most: maxLength)
  }
}

typealias Outputs = [String: [Float]]

/// An axis of an output, after that of the batch.
enum Axis {
  /// The positions in the text.
  case length
  case size(Int)
}

/// A kind of task: how texts become rows of tokens, and outputs answers.
protocol TaskKind {
  /// What the answer needs of a row's outputs.
  associatedtype Part

  /// Its name for use in sentences.
  static var title: String { get }
  static var options: [String] { get }
  static var takesWords: Bool { get }
  /// The outputs of a file, in each form that they may have.
  static func outputs(_ config: ModelConfig, _ labels: [String]) -> [[String: [Axis]]]
  static func answerType(_ config: ModelConfig, _ labels: [String]) -> any Answer.Type
  /// The rows of a text, or of several that belong together.
  static func rows(_ texts: [Input], _ context: TaskContext) throws -> [Row]
  /// What the answer needs of the outputs of a row, which may be longer than the row.
  static func read(_ outputs: Outputs, _ row: Row, _ context: TaskContext) throws -> Part
  /// The answer for a text, from what was read of its rows.
  static func answer(
    _ parts: [Part], _ texts: [Input], isTruncated: Bool, _ context: TaskContext
  ) -> any Answer
}

extension TaskKind {
  static var options: [String] { [] }
  static var takesWords: Bool { false }

  /// The answer for each example.
  ///
  /// - Parameter run: runs rows, and passes the outputs of each on.
  static func answers(
    _ examples: [[Input]], _ context: TaskContext,
    run: ([Row], (Outputs, Row) throws -> Void) throws -> Void
  ) throws -> [any Answer] {
    let rows = try examples.map { try Self.rows($0, context) }
    var parts: [Part] = []
    try run(rows.flatMap { $0 }) { outputs, row in
      parts.append(try read(outputs, row, context))
    }
    var rest = parts[...]
    return zip(examples, rows).map { texts, own in
      let isTruncated = own.contains(where: \.isTruncated)
      let parts = Array(rest.prefix(own.count))
      rest = rest.dropFirst(own.count)
      return answer(parts, texts, isTruncated: isTruncated, context)
    }
  }
}

/// The tasks, by the classes of the models.
let tasks: [String: any TaskKind.Type] = [
  "SqueezeBertModel": Embedding.self,
  "SqueezeBertForMaskedLM": MaskedLM.self,
  "SqueezeBertForMultipleChoice": MultipleChoice.self,
  "SqueezeBertForQuestionAnswering": QuestionAnswering.self,
  "SqueezeBertForSequenceClassification": TextClassification.self,
  "SqueezeBertForTokenClassification": TokenClassification.self,
]

func requireOneOrPair(_ texts: [Input], _ title: String) throws {
  try require(texts.count <= 2, "\(title) takes one text, or a pair.")
}

/// Refuses a text that is too long to be read in windows.
func requireWindowed(_ name: String, _ text: Input) throws {
  let most = 500_000
  let count: Int
  switch text {
  case .text(let text): count = text.unicodeScalars.count
  case .words(let words): count = words.reduce(0) { $0 + $1.unicodeScalars.count + 1 }
  }
  try require(
    count <= most,
    "\(name) of \(grouped(count)) characters is too long to be read in windows: split it into "
      + "texts of at most \(grouped(most)) characters.")
}

/// Finds ranges of a text by numbers of code points.
struct Places {
  let text: String
  private let indices: [String.Index]

  init(_ text: String) {
    self.text = text
    indices = text.unicodeScalars.indices + [text.endIndex]
  }

  func range(_ start: Int, _ end: Int) -> Range<String.Index> {
    indices[start]..<indices[end]
  }

  func string(_ start: Int, _ end: Int) -> String {
    String(text.unicodeScalars[range(start, end)])
  }
}
