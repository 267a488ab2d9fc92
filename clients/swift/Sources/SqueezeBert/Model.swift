import Foundation

/// A loaded .tflite file: text in, answer out.
///
/// `A` is the type of its answers, for instance `LabelAnswer`, or `any Answer` for a file of any
/// task. Several threads may use a model; calls take turns. They take some milliseconds each, so
/// that long texts and lists are better answered off the main thread. A call in a `Task` that is
/// cancelled stops between two calls of the file.
public final class Model<A>: @unchecked Sendable {
  /// The class of the exported model, for instance "SqueezeBertForTokenClassification".
  public let architecture: String
  public let labels: [String]
  /// The number of tokens of the longest text that the file takes.
  public let maxLength: Int

  let file: ModelFile
  private let lock = NSLock()
  private var graph: Graph?

  /// Opens a file.
  ///
  /// - Throws: `ModelError` if there is no such file, it is not one of this package, or its answers
  ///   are not of type `A`; and the backend's errors.
  public static func load(_ url: URL, backend: Backend = .standard) throws -> Model {
    try Model(try ModelFile(url), backend)
  }

  /// Opens a file that was read already; errors as of `load`.
  public init(_ file: ModelFile, _ backend: Backend) throws {
    let own = file.task.answerType(file.config, file.labels)
    try require(
      A.self == (any Answer).self || A.self == own,
      "'\(file.name)' answers with \(own), not with \(A.self): load it as Model<\(own)>.")
    self.file = file
    architecture = file.architecture
    labels = file.labels
    maxLength = file.maxLength
    graph = try Graph(file, backend)
  }

  /// Answers a text.
  ///
  /// - Parameters:
  ///   - text: the text; for question answering the question.
  ///   - pair: the second text of a pair; for question answering the context.
  ///   - topK: for masked LM, the number of tokens for each [MASK]; by default 5.
  ///   - handleImpossibleAnswer: for question answering, whether "no answer" is allowed.
  /// - Throws: `ModelError` if the texts or options do not fit the task.
  public func predict(
    _ text: String, _ pair: String? = nil, topK: Int? = nil, handleImpossibleAnswer: Bool? = nil
  ) throws -> A {
    let texts = [text] + (pair.map { [$0] } ?? [])
    return try answers([texts.map(Input.text)], topK, handleImpossibleAnswer)[0]
  }

  /// Answers each text of a list, or each pair of two lists; parameters as above.
  public func predict(
    _ texts: [String], _ pairs: [String]? = nil, topK: Int? = nil,
    handleImpossibleAnswer: Bool? = nil
  ) throws -> [A] {
    try require(
      pairs == nil || pairs!.count == texts.count,
      "The first list holds \(texts.count) texts and another \(pairs?.count ?? 0): pass lists of "
        + "equal length.")
    let examples = texts.indices.map { i in
      [Input.text(texts[i])] + (pairs.map { [.text($0[i])] } ?? [])
    }
    return try answers(examples, topK, handleImpossibleAnswer)
  }

  /// Chooses which of several texts fits a text. Only for multiple choice.
  public func predict(_ text: String, choices: [String]) throws -> A {
    try answers([([text] + choices).map(Input.text)], nil, nil)[0]
  }

  /// Labels the words of a text that is split already. Places are those in the words joined by
  /// spaces. Only for token classification.
  public func predict(words: [String]) throws -> A {
    try require(file.task.takesWords, "\(file.task.title) takes texts, not lists of words.")
    return try answers([[.words(words)]], nil, nil)[0]
  }

  private func answers(
    _ examples: [[Input]], _ topK: Int?, _ handleImpossibleAnswer: Bool?
  ) throws -> [A] {
    let task = file.task
    let given = [("handle_impossible_answer", handleImpossibleAnswer != nil), ("top_k", topK != nil)]
    let unknown = given.filter { $0.1 && !task.options.contains($0.0) }.map(\.0)
    try require(
      unknown.isEmpty, "\(task.title) has no option \(unknown.joined(separator: ", ")).")
    var context = TaskContext(file: file, maxLength: maxLength)
    context.topK = topK ?? context.topK
    context.handlesImpossibleAnswer = handleImpossibleAnswer ?? false
    return try whileOpen { graph in
      try task.answers(examples, context) { try graph.run($0, $1) }.map { $0 as! A }
    }
  }

  func whileOpen<T>(_ use: (Graph) throws -> T) throws -> T {
    lock.lock()
    defer { lock.unlock() }
    guard let graph else { throw ModelError("The model is closed: load it again.") }
    return try use(graph)
  }

  /// The tokens of a text or a pair, at most as many as the file takes.
  public func tokenize(_ text: String, _ pair: String? = nil) -> Tokens {
    let texts = [text] + (pair.map { [$0] } ?? [])
    let row = file.tokenizer.row(of: texts.map(file.tokenizer.encode), most: maxLength)
    return Tokens(row, texts: texts)
  }

  /// Frees the memory, also where references to the model remain.
  public func close() {
    lock.lock()
    graph = nil
    lock.unlock()
  }
}
