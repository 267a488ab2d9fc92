#if canImport(TensorFlowLite)
  import Foundation
  import TensorFlowLite

  extension Backend {
    /// TensorFlow Lite's interpreter, of the pod TensorFlowLiteSwift.
    ///
    /// - Parameters:
    ///   - threads: threads within a call of the file.
    ///   - delegates: for instance `[MetalDelegate()]`, for files of fixed lengths.
    ///   - isHalf: whether the delegates compute in 16 bits. `MetalDelegate` does not by default.
    public static func tensorFlowLite(
      threads: Int = 2, delegates: [Delegate] = [], isHalf: Bool = false
    ) -> Backend {
      Backend(isHalf: isHalf) { file in
        try TensorFlowLiteRunner(file, threads: threads, delegates: delegates)
      }
    }
  }

  private final class TensorFlowLiteRunner: Runner {
    private let interpreter: Interpreter
    private var runners: [String: SignatureRunner] = [:]
    private var shapes: [String: [Int]] = [:]

    init(_ file: ModelFile, threads: Int, delegates: [Delegate]) throws {
      var options = Interpreter.Options()
      options.threadCount = threads
      // It is off by default, and the file then takes about ten times as long.
      options.isXNNPackEnabled = true
      interpreter = try Interpreter(
        modelPath: file.url.path, options: options,
        delegates: delegates.isEmpty ? nil : delegates)
    }

    func run(
      _ signature: Signature, inputs: [String: [Int32]], shape: [Int]
    ) throws -> [String: [Float]] {
      let runner = try runners[signature.key] ?? interpreter.signatureRunner(with: signature.key)
      runners[signature.key] = runner
      if signature.isFree, shapes[signature.key] != shape {
        for name in signature.inputs {
          try runner.resizeInput(named: name, toShape: Tensor.Shape(shape))
        }
        shapes[signature.key] = shape
      }
      try runner.invoke(with: inputs.mapValues { $0.withUnsafeBytes { Data($0) } })
      var outputs: [String: [Float]] = [:]
      for (name, _) in signature.outputs {
        outputs[name] = floats(try runner.output(named: name).data)
      }
      return outputs
    }

    private func floats(_ data: Data) -> [Float] {
      [Float](unsafeUninitializedCapacity: data.count / MemoryLayout<Float>.size) { buffer, count in
        count = data.copyBytes(to: buffer) / MemoryLayout<Float>.size
      }
    }
  }
#endif
