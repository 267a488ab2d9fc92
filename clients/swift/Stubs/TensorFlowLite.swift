// The part of TensorFlowLiteSwift 2.17.0 that the client calls, without what it does: the test
// compiles TensorFlowLiteRunner.swift against it, since the pod is for Apple's platforms only. Taken
// from tensorflow/lite/swift/Sources: Interpreter.swift, SignatureRunner.swift, Tensor.swift,
// Delegate.swift and MetalDelegate.swift.

import Foundation

public protocol Delegate: AnyObject {
  typealias CDelegate = UnsafeMutablePointer<Int>
  var cDelegate: CDelegate { get }
}

public final class MetalDelegate: Delegate {
  public struct Options: Equatable, Hashable {
    public var isPrecisionLossAllowed = false
    public init() {}
  }

  public var cDelegate: CDelegate { fatalError() }
  public init(options: Options = Options()) {}
}

public struct Tensor: Equatable, Hashable {
  public struct Shape: Equatable, Hashable {
    public init(_ dimensions: [Int]) {}
    public init(_ elements: Int...) {}
  }

  public let data: Data
}

public final class Interpreter {
  public struct Options: Equatable, Hashable {
    public var threadCount: Int?
    public var isXNNPackEnabled = false
    public init() {}
  }

  public init(modelPath: String, options: Options? = nil, delegates: [Delegate]? = nil) throws {}
  public func signatureRunner(with key: String) throws -> SignatureRunner { fatalError() }
}

public final class SignatureRunner {
  public func resizeInput(named name: String, toShape shape: Tensor.Shape) throws {}
  public func invoke(with inputs: [String: Data]) throws {}
  public func output(named name: String) throws -> Tensor { fatalError() }
}
