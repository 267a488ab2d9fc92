#if canImport(LiteRT)
  import LiteRT

  extension Backend {
    /// LiteRT's compiled model.
    ///
    /// - Parameter accelerators: for instance `[.gpu, .cpu]`, for files of fixed lengths. All but
    ///   the processor compute in 16 bits.
    public static func liteRT(accelerators: Set<Accelerator> = [.cpu]) -> Backend {
      Backend(isHalf: accelerators != [.cpu]) { file in
        try LiteRTRunner(file, accelerators: accelerators)
      }
    }
  }

  private final class LiteRTRunner: Runner {
    private let environment: LiteRT.Environment
    private let model: CompiledModel

    init(_ file: ModelFile, accelerators: Set<Accelerator>) throws {
      environment = try LiteRT.Environment()
      let options = try Options()
      try options.setHardwareAccelerators(accelerators)
      model = try CompiledModel(
        filePath: file.url.path, environment: environment, options: options)
    }

    func run(
      _ signature: Signature, inputs: [String: [Int32]], shape: [Int]
    ) throws -> [String: [Float]] {
      let index = signature.index
      if signature.isFree {
        for i in signature.inputs.indices {
          try model.resizeInputTensor(inputIndex: i, dimensions: shape, signatureIndex: index)
        }
      }
      let given = try buffers(for: signature, shape)
      for (i, buffer) in given.enumerated() {
        let name = try model.inputName(inputIndex: i, signatureIndex: index)
        try buffer.write(inputs[name] ?? [])
      }
      let taken = try outputBuffers(for: signature)
      try model.run(inputs: given, outputs: taken, signatureIndex: index)
      var outputs: [String: [Float]] = [:]
      for (i, buffer) in taken.enumerated() {
        outputs[try model.outputName(outputIndex: i, signatureIndex: index)] = try buffer.read()
      }
      return outputs
    }

    private func buffers(for signature: Signature, _ shape: [Int]) throws -> [TensorBuffer] {
      guard signature.isFree else {
        return try model.createInputBuffers(signatureIndex: signature.index)
      }
      let layout = Layout(dimensions: shape)
      return try signature.inputs.map { _ in try buffer(.int32, layout) }
    }

    private func outputBuffers(for signature: Signature) throws -> [TensorBuffer] {
      guard signature.isFree else {
        return try model.createOutputBuffers(signatureIndex: signature.index)
      }
      // `createOutputBuffers` of LiteRT 2.2.0 does not know the sizes after `resizeInputTensor`.
      let layouts = try model.getOutputTensorLayouts(
        signatureIndex: signature.index, updateAllocation: true)
      return try layouts.map { try buffer(.float32, $0) }
    }

    /// Memory of the processor, for elements of 4 bytes.
    private func buffer(_ type: ElementType, _ layout: Layout) throws -> TensorBuffer {
      try TensorBuffer(
        environment: environment, bufferType: .hostMemory,
        tensorType: TensorType(elementType: type, layout: layout),
        size: layout.dimensions.reduce(4, *))
    }
  }
#endif
