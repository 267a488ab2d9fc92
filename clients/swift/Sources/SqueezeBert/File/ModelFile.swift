import Foundation

/// What a .tflite of this package says about itself: all but its weights.
public struct ModelFile {
  /// Its name, for errors.
  public let name: String
  public let url: URL
  /// The signatures; those that take the shortest texts first.
  public let signatures: [Signature]
  public let tokenizer: Tokenizer
  let config: ModelConfig
  let architecture: String
  let labels: [String]
  let task: any TaskKind.Type
  private let goldenExamples: Data?

  /// The newest form of a file that this client knows.
  private static let format = 1

  /// Reads a file without a runner, for its tokens.
  public init(_ url: URL) throws {
    let name = url.relativePath
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue
    else {
      throw ModelError("There is no file '\(name)': check the path.")
    }
    let bytes: ByteReader
    do {
      bytes = ByteReader(try Data(contentsOf: url, options: .mappedIfSafe))
    } catch {
      throw ModelError("'\(name)' can not be read: \(error.localizedDescription)")
    }
    let files = try readBundle(bytes, name: name)
    try self.init(url, name, try readSignatures(bytes, name: name), files)
  }

  /// Makes one of parts, for instance of a file that has no path.
  ///
  /// - Parameters:
  ///   - name: for errors.
  ///   - signatures: read after the config, by which a newer form of the file is known.
  ///   - files: the contents of the files that it carries, by their names.
  public init(
    _ url: URL, _ name: String, _ signatures: @autoclosure () throws -> [Signature],
    _ files: [String: Data]
  ) throws {
    self.url = url
    self.name = name
    config = try read(ModelConfig.self, files["config.json"] ?? Data(), as: "config.json", in: name)
    goldenExamples = files[Golden.part]
    let format = config.fileFormat ?? Self.format
    try require(
      format == Self.format,
      "'\(name)' has the file format \(format), and this version of the package knows only "
        + "\(Self.format): install a newer one, or export the file again.")
    if let fault = config.fault { throw damaged("config.json", in: name, fault) }
    try require(
      config.architectures?.count == 1,
      "The config.json in '\(name)' is damaged, or not from this package: it does not name the "
        + "class of its model. Export the file again.")
    architecture = config.architectures![0]
    self.signatures = try signatures()
    guard let task = tasks[architecture] else {
      throw otherFile(name, "holds a model of class '\(architecture)'")
    }
    self.task = task
    let names = (config.id2label ?? [:]).compactMap { id, label in Int(id).map { ($0, label) } }
    labels = names.sorted { $0.0 < $1.0 }.map(\.1)
    tokenizer = try readTokenizer(files, in: name)
    try checkSignatures()
  }

  /// The number of tokens of the longest text that the file takes.
  public var maxLength: Int {
    signatures.last!.length ?? config.maxPositionEmbeddings
  }

  /// The golden examples, by which the file can test itself.
  func golden() throws -> Golden {
    guard let goldenExamples else {
      throw ModelError(
        "'\(name)' carries no golden examples, by which a file can test itself: export it again, "
          + "without golden=False.")
    }
    let golden = try read(Golden.self, goldenExamples, as: Golden.part, in: name)
    if let fault = golden.fault { throw damaged(Golden.part, in: name, fault) }
    return golden
  }

  /// The outputs that its signatures have.
  var outputs: [String: [Axis]] {
    let names = Set(signatures[0].outputs.map(\.name))
    return task.outputs(config, labels).first { Set($0.keys) == names } ?? [:]
  }

  /// Refuses inputs and outputs that are not what the config says.
  private func checkSignatures() throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw otherFile(name, reason) }
    }
    try require(maxLength >= 4, "takes only \(maxLength) tokens")
    for signature in signatures {
      let batch = signature.batch
      try require(batch == signatures[0].batch && batch ?? 1 >= 1, "has batches of several sizes")
      try require(
        Set(signature.inputs) == Set(modelInputs),
        "takes \(signature.inputs.joined(separator: ", "))")
      let outputs = outputs
      for (output, shape) in signature.outputs {
        let fits = outputs[output].map { fit(Array(shape.dropFirst()), $0) } ?? false
        try require(fits, "returns \(output) of shape \(shape), which its config does not fit")
      }
    }
  }

  private func fit(_ shape: [Int], _ axes: [Axis]) -> Bool {
    shape.count == axes.count
      && zip(shape, axes).allSatisfy { size, axis in
        if case .size(let expected) = axis { return size == expected && size > 0 }
        return true
      }
  }
}

/// The inputs of a model.
let modelInputs = ["input_ids", "attention_mask", "token_type_ids"]

/// The content of a config.json, as far as it matters here.
struct ModelConfig: Decodable {
  var architectures: [String]?
  var fileFormat: Int?
  var id2label: [String: String]?
  var problemType: String?
  var vocabSize: Int
  var typeVocabSize: Int
  var hiddenSize: Int
  var maxPositionEmbeddings: Int

  /// What is wrong with it, if its types are right.
  var fault: String? {
    let sizes = [vocabSize, typeVocabSize, hiddenSize, maxPositionEmbeddings]
    if sizes.contains(where: { $0 <= 0 }) { return "a size is not above 0" }
    let problems = ["regression", "single_label_classification", "multi_label_classification"]
    if let problemType, !problems.contains(problemType) {
      return "its problem_type is \(quoted(problemType, most: 60))"
    }
    return nil
  }
}

private func read<T: Decodable>(
  _ type: T.Type, _ content: Data, as part: String, in name: String
) throws -> T {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  do {
    return try decoder.decode(type, from: content)
  } catch {
    throw damaged(part, in: name, reason(error))
  }
}

private func readTokenizer(_ files: [String: Data], in name: String) throws -> Tokenizer {
  let content = files["tokenizer_config.json"] ?? Data("{}".utf8)
  let config = try read(TokenizerConfig.self, content, as: "tokenizer", in: name)
  guard let vocabulary = files["vocab.txt"] else {
    if files["tokenizer.json"] != nil {
      throw unsupportedError(
        "tokenizer_class \(config.tokenizerClass)", "The tokenizer in '\(name)'")
    }
    throw ModelError(
      "The model came without a tokenizer: export it again with the tokenizer it was trained with.")
  }
  try config.checkSupported("The tokenizer in '\(name)'")
  do {
    return try Tokenizer(vocabulary: vocabulary, config: config)
  } catch let error as ModelError {
    throw damaged("tokenizer", in: name, error.description)
  }
}

private func otherFile(_ name: String, _ reason: String) -> ModelError {
  ModelError(
    "'\(name)' was not exported by this package, or is damaged: export it again (it \(reason)).")
}

func damaged(
  _ part: String, in name: String, _ reason: String,
  fault: String = "is damaged, or not from this package"
) -> ModelError {
  let reason = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
  return ModelError("The \(part) in '\(name)' \(fault): export the file again (\(reason)).")
}

private func reason(_ error: Error) -> String {
  func name(_ path: [CodingKey]) -> String {
    path.map { snakeCase($0.stringValue) }.joined(separator: ".")
  }
  switch error {
  case DecodingError.keyNotFound(let key, let context):
    return "it lacks \(name(context.codingPath + [key]))"
  case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
    return "its \(name(context.codingPath)) is of another type"
  case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
    return "its \(name(context.codingPath)) has another value"
  default:
    return "it is not JSON"
  }
}

private func snakeCase(_ name: String) -> String {
  name.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
}
