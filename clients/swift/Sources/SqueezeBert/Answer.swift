// Scores are probabilities. A place in a text is given twice: as a range of the text's indices,
// and as `start` and `end`, which count code points, as in Python.

/// The answer of a model of any task; `as?` gives that of a task.
public protocol Answer: Sendable {
  /// Whether the text was longer than the model takes, and the rest was left out.
  var isTruncated: Bool { get }
  /// The answer as JSON, with the keys of Python's `predict`.
  var json: String { get }
}

/// A name with its score: of a label, or of a token.
public struct Score: Equatable, Sendable {
  public let name: String
  public let score: Double
}

/// Of a classifier: a label for a text or a pair.
public struct LabelAnswer: Answer, Equatable {
  /// The label with the best score.
  public let label: String
  public let score: Double
  /// Where several labels may apply, those with a score of 0.5 or more; otherwise nil.
  public let labels: [String]?
  /// The scores of all labels, in the order of the model.
  public let scores: [Score]
  public let isTruncated: Bool
}

/// Of a regression: a number for each of its names.
public struct RegressionAnswer: Answer, Equatable {
  public let values: [Score]
  public let isTruncated: Bool
}

/// Of token classification: the words of a text, and those that are entities.
public struct EntitiesAnswer: Answer, Equatable {
  public struct Word: Equatable, Sendable {
    public let label: String
    public let score: Double
    public let word: String
    public let range: Range<String.Index>
    public let start: Int
    public let end: Int
  }

  /// Neighbouring words of one entity.
  public struct Entity: Equatable, Sendable {
    public let group: String
    /// The mean of the scores of its words.
    public let score: Double
    public let word: String
    public let range: Range<String.Index>
    public let start: Int
    public let end: Int
  }

  public let words: [Word]
  public let entities: [Entity]
  /// All of a text is read, in windows.
  public var isTruncated: Bool { false }
}

/// Of question answering: the part of the context that answers the question.
public struct SpanAnswer: Answer, Equatable {
  /// Empty if the context holds no answer, which needs `handleImpossibleAnswer`.
  public let answer: String
  public let score: Double
  /// Its place in the context.
  public let range: Range<String.Index>
  public let start: Int
  public let end: Int
  /// All of a context is read, in windows.
  public var isTruncated: Bool { false }
}

/// Of masked language modelling: for each [MASK] its best tokens, the best one first.
public struct MaskAnswer: Answer, Equatable {
  public let masks: [[Score]]
  public let isTruncated: Bool
}

/// Of multiple choice.
public struct ChoiceAnswer: Answer, Equatable {
  public let choice: String
  public let index: Int
  /// The scores of all choices.
  public let scores: [Double]
  public let isTruncated: Bool
}

/// Of the bare model: a vector of length 1 for a text.
public struct EmbeddingAnswer: Answer, Equatable {
  public let embedding: [Float]
  public let isTruncated: Bool
}
