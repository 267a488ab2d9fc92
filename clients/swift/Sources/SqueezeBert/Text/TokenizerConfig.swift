/// The content of a tokenizer_config.json.
struct TokenizerConfig: Decodable {
  let doLowerCase: Bool
  let stripAccents: Bool
  let tokenizeChineseChars: Bool
  let modelInputNames: [String]?
  /// The tokens with special roles; nil for those that the tokenizer does without.
  let unkToken, clsToken, sepToken, padToken, maskToken: String?
  let addedTokensDecoder: [String: AddedToken]
  /// A setting with which a text would have other tokens than here.
  let unsupported: String?

  private enum Keys: CodingKey {
    case doLowerCase, stripAccents, tokenizeChineseChars, doBasicTokenize, neverSplit
    case truncationSide, modelInputNames, addedTokensDecoder
    case unkToken, clsToken, sepToken, padToken, maskToken
  }

  /// A token by itself, or with its flags.
  private struct SpecialToken: Decodable {
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

  init(from decoder: Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    func value<T: Decodable>(_ key: Keys, _ usual: T) throws -> T {
      try values.decodeIfPresent(T.self, forKey: key) ?? usual
    }
    func token(_ key: Keys, _ usual: String) throws -> String? {
      guard values.contains(key) else { return usual }
      return try values.decodeIfPresent(SpecialToken.self, forKey: key)?.content
    }
    doLowerCase = try value(.doLowerCase, true)
    stripAccents = try value(.stripAccents, doLowerCase)
    tokenizeChineseChars = try value(.tokenizeChineseChars, true)
    modelInputNames = try values.decodeIfPresent([String].self, forKey: .modelInputNames)
    unkToken = try token(.unkToken, "[UNK]")
    clsToken = try token(.clsToken, "[CLS]")
    sepToken = try token(.sepToken, "[SEP]")
    padToken = try token(.padToken, "[PAD]")
    maskToken = try token(.maskToken, "[MASK]")
    addedTokensDecoder = try value(.addedTokensDecoder, [:])
    let added = addedTokensDecoder.values
    let others = [
      ("do_basic_tokenize", try value(.doBasicTokenize, true) == false),
      ("never_split", !(try value(.neverSplit, [String]())).isEmpty),
      ("truncation_side", try value(.truncationSide, "right") != "right"),
      ("single_word", added.contains { $0.singleWord == true }),
      ("lstrip", added.contains { $0.lstrip == true }),
      ("rstrip", added.contains { $0.rstrip == true }),
    ]
    unsupported = others.first(where: \.1)?.0
  }

  /// - Parameter owner: what the config is of, for use in a sentence.
  func checkSupported(_ owner: String) throws {
    if let unsupported {
      throw ModelError(
        "\(owner) sets \(unsupported), which this client does not support: run the file in Python.")
    }
  }
}
