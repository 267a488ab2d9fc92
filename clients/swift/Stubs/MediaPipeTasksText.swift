// The part of MediaPipe 1.0.0's MediaPipeTasksText that docs/ios.md calls, without what it does, to
// compile that page. Taken from mediapipe/tasks/ios, as Swift sees its Objective-C classes.

import Foundation

public final class TextClassifier {
  public init(modelPath: String) throws {}
  public func classify(text: String) throws -> TextClassifierResult { fatalError() }
}

public final class TextClassifierResult {
  public var classificationResult: ClassificationResult { fatalError() }
}

public final class ClassificationResult {
  public var classifications: [Classifications] { fatalError() }
}

public final class Classifications {
  public var categories: [ResultCategory] { fatalError() }
}

public final class ResultCategory {
  public var score: Float { fatalError() }
  public var categoryName: String? { fatalError() }
}

public final class TextEmbedder {
  public init(modelPath: String) throws {}
  public func embed(text: String) throws -> TextEmbedderResult { fatalError() }
}

public final class TextEmbedderResult {
  public var embeddingResult: EmbeddingResult { fatalError() }
}

public final class EmbeddingResult {
  public var embeddings: [Embedding] { fatalError() }
}

public final class Embedding {
  public var floatEmbedding: [NSNumber]? { fatalError() }
}
