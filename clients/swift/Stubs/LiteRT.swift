// The part of LiteRT 2.2.0's Swift module that the client calls, without what it does: the test
// compiles LiteRTRunner.swift against it, since the module is for Apple's platforms only. Taken from
// litert/swift/Sources: CompiledModel.swift, Environment.swift, Options.swift, TensorBuffer.swift and
// TensorType.swift.

public enum Accelerator: Int32 {
  case none = 0
  case cpu = 1
  case gpu = 2
  case npu = 4
}

public final class Environment {
  public enum Option {
    case minLoggerSeverity(Int64)
  }

  public init(options: [Option] = []) throws {}
}

public final class Options {
  public init() throws {}
  public func setHardwareAccelerators(_ accelerators: Set<Accelerator>) throws {}
}

public enum ElementType: UInt32 {
  case int32 = 2
  case float32 = 1
}

public struct Layout: Equatable {
  public let dimensions: [Int]
  public let strides: [Int]

  public init(dimensions: [Int], strides: [Int] = []) { fatalError() }
}

public struct TensorType: Equatable {
  public init(elementType: ElementType, layout: Layout) {}
}

public enum TensorBufferType: Int32 {
  case hostMemory = 1
}

public final class TensorBuffer {
  public convenience init(
    environment: Environment, bufferType: TensorBufferType, tensorType: TensorType, size: Int
  ) throws { fatalError() }
  public func write<T>(_ data: [T]) throws {}
  public func read<T>() throws -> [T] { fatalError() }
}

public final class CompiledModel {
  public init(filePath: String, environment: Environment, options: Options? = nil) throws {}
  public func resizeInputTensor(
    inputIndex: Int, dimensions: [Int], signatureIndex: Int = 0
  ) throws {}
  public func createInputBuffers(signatureIndex: Int = 0) throws -> [TensorBuffer] { [] }
  public func createOutputBuffers(signatureIndex: Int = 0) throws -> [TensorBuffer] { [] }
  public func getOutputTensorLayouts(
    signatureIndex: Int = 0, updateAllocation: Bool = true
  ) throws -> [Layout] { [] }
  public func inputName(inputIndex: Int, signatureIndex: Int = 0) throws -> String { "" }
  public func outputName(outputIndex: Int, signatureIndex: Int = 0) throws -> String { "" }
  public func run(
    inputs: [TensorBuffer], outputs: [TensorBuffer], options: Options? = nil,
    signatureIndex: Int = 0
  ) throws {}
}
