#if canImport(CLiteRtLibrary) && (os(Linux) || os(macOS))
  import CLiteRtLibrary
  import Foundation

  extension Backend {
    /// LiteRT's library, on the processor.
    ///
    /// - Parameter path: that of libLiteRt.so; by default what the variable LITERT_LIBRARY of the
    ///   environment names. The Python package ai-edge-litert contains it.
    public static func library(path: String? = nil) -> Backend {
      Backend { file in
        let named = path ?? ProcessInfo.processInfo.environment["LITERT_LIBRARY"]
        guard let named, !named.isEmpty else {
          throw ModelError(
            "There is no LiteRT: type 'pip install ai-edge-litert', and put the path of its "
              + "libLiteRt.so into LITERT_LIBRARY.")
        }
        return try LibraryRunner(file, library: named)
      }
    }
  }

  private typealias Pointer = UnsafeMutableRawPointer
  private let cpu: Int32 = 1
  private let hostMemory: Int32 = 1

  private final class LibraryRunner: Runner {
    private var functions = litert_functions()
    private var environment: Pointer?
    private var model: Pointer?
    private var options: Pointer?
    private var compiled: Pointer?

    init(_ file: ModelFile, library: String) throws {
      guard FileManager.default.fileExists(atPath: library) else {
        throw ModelError(
          "There is no file '\(library)', which LITERT_LIBRARY names: check the path.")
      }
      if let reason = litert_open(library, &functions) {
        throw ModelError(
          "'\(library)' is not LiteRT's library of version 2.3: \(String(cString: reason)).")
      }
      // An option by its tag, that only errors are logged: the integer 3.
      let quiet: [Int64] = [25, 2, 3]
      try check("CreateEnvironment", functions.CreateEnvironment(1, quiet, &environment))
      try check(
        "CreateModelFromFile",
        functions.CreateModelFromFile(environment, file.url.path, &model))
      try check("CreateOptions", functions.CreateOptions(&options))
      try check(
        "SetOptionsHardwareAccelerators", functions.SetOptionsHardwareAccelerators(options, cpu))
      try check(
        "CreateCompiledModel",
        functions.CreateCompiledModel(environment, model, options, &compiled))
    }

    deinit {
      if let compiled { functions.DestroyCompiledModel(compiled) }
      if let options { functions.DestroyOptions(options) }
      if let model { functions.DestroyModel(model) }
      if let environment { functions.DestroyEnvironment(environment) }
    }

    func run(
      _ signature: Signature, inputs: [String: [Int32]], shape: [Int]
    ) throws -> [String: [Float]] {
      var buffers: [Pointer?] = []
      defer { buffers.forEach { functions.DestroyTensorBuffer($0) } }
      let sizes = shape.map(Int32.init)
      let inputNames = try names(
        signature, signature.inputs.count, functions.GetSignatureInputName)
      for (i, name) in inputNames.enumerated() {
        if signature.isFree {
          try check(
            "CompiledModelResizeInputTensor",
            functions.CompiledModelResizeInputTensor(
              compiled, signature.index, i, sizes, sizes.count))
        }
        buffers.append(try allocate(LITERT_INT32, sizes))
        try whileLocked(buffers[i], LITERT_WRITE) { memory in
          (inputs[name] ?? []).withUnsafeBytes {
            memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
          }
        }
      }
      let outputNames = try names(
        signature, signature.outputs.count, functions.GetSignatureOutputName)
      let shapes = try outputShapes(signature)
      for sizes in shapes { buffers.append(try allocate(LITERT_FLOAT32, sizes)) }
      var given = Array(buffers[..<inputNames.count])
      var taken = Array(buffers[inputNames.count...])
      try check(
        "RunCompiledModel",
        functions.RunCompiledModel(
          compiled, signature.index, given.count, &given, taken.count, &taken))
      var outputs: [String: [Float]] = [:]
      for (i, name) in outputNames.enumerated() {
        outputs[name] = try whileLocked(taken[i], LITERT_READ) { memory in
          let floats = memory.assumingMemoryBound(to: Float.self)
          return Array(UnsafeBufferPointer(start: floats, count: Int(shapes[i].reduce(1, *))))
        }
      }
      return outputs
    }

    /// The names of a signature's inputs or outputs, in the order of the library.
    private func names(
      _ signature: Signature, _ count: Int,
      _ get: (Pointer?, Int, UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int32
    ) throws -> [String] {
      var found: Pointer?
      try check("GetModelSignature", functions.GetModelSignature(model, signature.index, &found))
      return try (0..<count).map { i in
        var name: UnsafePointer<CChar>?
        try check("GetSignatureName", get(found, i, &name))
        return String(cString: name!)
      }
    }

    /// The shapes of a signature's outputs, for the inputs' current ones.
    private func outputShapes(_ signature: Signature) throws -> [[Int32]] {
      let count = signature.outputs.count
      var layouts = [litert_layout](repeating: litert_layout(), count: count)
      try check(
        "GetCompiledModelOutputTensorLayouts",
        functions.GetCompiledModelOutputTensorLayouts(
          compiled, signature.index, count, &layouts, true))
      return layouts.map { layout in
        withUnsafeBytes(of: layout.sizes) {
          Array($0.bindMemory(to: Int32.self).prefix(Int(layout.rank)))
        }
      }
    }

    /// Memory for a tensor of elements of 4 bytes.
    private func allocate(_ type: Int, _ sizes: [Int32]) throws -> Pointer? {
      var tensor = litert_tensor_type()
      tensor.type = Int32(type)
      tensor.layout.rank = UInt32(sizes.count)
      sizes.withUnsafeBytes { given in
        withUnsafeMutableBytes(of: &tensor.layout.sizes) { $0.copyMemory(from: given) }
      }
      var buffer: Pointer?
      try check(
        "CreateManagedTensorBuffer",
        functions.CreateManagedTensorBuffer(
          environment, hostMemory, &tensor, sizes.reduce(4) { $0 * Int($1) }, &buffer))
      return buffer
    }

    private func whileLocked<T>(
      _ buffer: Pointer?, _ mode: Int, _ use: (Pointer) throws -> T
    ) throws -> T {
      var address: Pointer?
      try check("LockTensorBuffer", functions.LockTensorBuffer(buffer, &address, Int32(mode)))
      defer { _ = functions.UnlockTensorBuffer(buffer) }
      return try use(address!)
    }

    private func check(_ function: String, _ status: Int32) throws {
      try require(
        status == 0,
        "LiteRT can not run the file: \(function) ended with the status \(status).")
    }
  }
#endif
