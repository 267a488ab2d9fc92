/// The content of a tokenizer_config.json.
struct TokenizerConfig: Decodable {
  var doLowerCase: Bool?
  var stripAccents: Bool?
  var tokenizeChineseChars: Bool?
  var doBasicTokenize: Bool?
  var neverSplit: [String]?
  var truncationSide: String?
  var modelInputNames: [String]?
  var clsToken: SpecialToken?
  var sepToken: SpecialToken?
  var unkToken: SpecialToken?
  var padToken: SpecialToken?
  var maskToken: SpecialToken?
  var addedTokensDecoder: [String: AddedToken]?

  /// A token by itself, or with its flags.
  struct SpecialToken: Decodable {
    let content: String

    private enum Keys: CodingKey { case content }

    init(from decoder: Decoder) throws {
      let alone = try? decoder.singleValueContainer().decode(String.self)
      content = try alone ?? decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .content)
    }
  }

  struct AddedToken: Decodable {
    let content: String
    var normalized: Bool?
    var singleWord: Bool?
    var lstrip: Bool?
    var rstrip: Bool?
  }

  /// Refuses settings with which a text would have other tokens.
  ///
  /// - Parameter owner: what sets them, for use in a sentence.
  func checkSupported(_ owner: String) throws {
    let added = addedTokensDecoder?.values.map { $0 } ?? []
    let settings = [
      ("do_basic_tokenize", doBasicTokenize == false),
      ("never_split", neverSplit?.isEmpty == false),
      ("truncation_side", truncationSide == "left"),
      ("single_word", added.contains { $0.singleWord == true }),
      ("lstrip", added.contains { $0.lstrip == true }),
      ("rstrip", added.contains { $0.rstrip == true }),
    ]
    if let (name, _) = settings.first(where: \.1) {
      throw ModelError(
        "\(owner) sets \(name), which this client does not support: run the file in Python.")
    }
  }
}
