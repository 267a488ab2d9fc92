import Foundation

/// What computes: it calls a file's signatures. `Model` calls it from one thread at a time.
public protocol Runner: AnyObject {
  /// Calls the file.
  ///
  /// - Parameters:
  ///   - inputs: `input_ids`, `attention_mask` and `token_type_ids`, each [batch, length].
  ///   - shape: batch and length.
  /// - Returns: the outputs by name, batch after batch.
  func run(_ signature: Signature, inputs: [String: [Int32]], shape: [Int]) throws
    -> [String: [Float]]
}

/// A way to make a runner for a file.
public struct Backend {
  let isHalf: Bool
  let open: (ModelFile) throws -> Runner

  /// - Parameters:
  ///   - isHalf: whether it computes in 16 bits, which self-tests allow for.
  ///   - open: opens a file.
  public init(isHalf: Bool = false, _ open: @escaping (ModelFile) throws -> Runner) {
    self.isHalf = isHalf
    self.open = open
  }

  /// The runner of the platform: TensorFlow Lite or LiteRT if the app has either, otherwise, on
  /// Linux and macOS, LiteRT's library.
  public static var standard: Backend {
    #if canImport(TensorFlowLite)
      return .tensorFlowLite()
    #elseif canImport(LiteRT)
      return .liteRT()
    #elseif canImport(CLiteRtLibrary) && (os(Linux) || os(macOS))
      return .library()
    #else
      return Backend { _ in
        throw ModelError(
          "The app has neither TensorFlow Lite nor LiteRT: add the pod TensorFlowLiteSwift, or "
            + "pass your own backend.")
      }
    #endif
  }
}
