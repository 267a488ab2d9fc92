/// The content of a tokenizer_config.json.
struct TokenizerConfig: Decodable {
  let doLowerCase: Bool
  let stripAccents: Bool
  let tokenizeChineseChars: Bool
  let modelInputNames: [String]
  /// The name of transformers' class.
  let tokenizerClass: String
  /// The tokens with special roles; nil for those that the tokenizer does without.
  let unkToken, clsToken, sepToken, padToken, maskToken: String?
  let addedTokensDecoder: [String: AddedToken]
  /// A setting with which a text would have other tokens than here.
  let unsupported: String?

  private enum Keys: CodingKey {
    case doLowerCase, stripAccents, tokenizeChineseChars, doBasicTokenize, neverSplit
    case truncationSide, modelInputNames, addedTokensDecoder, tokenizerClass
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
      values.contains(key) ? try values.decode(T.self, forKey: key) : usual
    }
    func check(_ key: Keys, _ isRight: Bool) throws {
      if !isRight {
        throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "")
      }
    }
    func token(_ key: Keys, _ usual: String) throws -> String? {
      guard values.contains(key) else { return usual }
      return try values.decodeIfPresent(SpecialToken.self, forKey: key)?.content
    }
    doLowerCase = try value(.doLowerCase, true)
    stripAccents = try values.decodeIfPresent(Bool.self, forKey: .stripAccents) ?? doLowerCase
    tokenizeChineseChars = try value(.tokenizeChineseChars, true)
    modelInputNames = try value(.modelInputNames, modelInputs)
    try check(.modelInputNames, modelInputNames.contains("input_ids"))
    try check(.modelInputNames, modelInputNames.allSatisfy(modelInputs.contains))
    tokenizerClass = (try? values.decode(String.self, forKey: .tokenizerClass)) ?? "another class"
    unkToken = try token(.unkToken, "[UNK]")
    clsToken = try token(.clsToken, "[CLS]")
    sepToken = try token(.sepToken, "[SEP]")
    padToken = try token(.padToken, "[PAD]")
    maskToken = try token(.maskToken, "[MASK]")
    addedTokensDecoder = try value(.addedTokensDecoder, [:])
    let added = addedTokensDecoder.values
    let neverSplit = try values.decodeIfPresent([String].self, forKey: .neverSplit) ?? []
    let side = try value(.truncationSide, "right")
    try check(.truncationSide, ["left", "right"].contains(side))
    let others = [
      ("do_basic_tokenize false", try value(.doBasicTokenize, true) == false),
      ("never_split", !neverSplit.isEmpty),
      ("truncation_side \"left\"", side == "left"),
      ("an added token with single_word", added.contains { $0.singleWord == true }),
      ("an added token with lstrip", added.contains { $0.lstrip == true }),
      ("an added token with rstrip", added.contains { $0.rstrip == true }),
    ]
    unsupported = others.first(where: \.1)?.0
  }

  /// - Parameter owner: what the config is of, for use in a sentence.
  func checkSupported(_ owner: String) throws {
    if let unsupported { throw unsupportedError(unsupported, owner) }
  }
}

/// - Parameters:
///   - what: what a tokenizer has.
///   - owner: the tokenizer, for use in a sentence.
func unsupportedError(_ what: String, _ owner: String) -> ModelError {
  ModelError(
    "\(owner) has \(what), which this client does not support: predict in Python, or use a "
      + "tokenizer without it.")
}
