import Foundation

/// The result of `Model.selfTest`.
public struct SelfTest: Sendable, CustomStringConvertible {
  /// Whether every output is as close to the exported model's as the file allows.
  public let isRight: Bool
  /// The root mean square of an output's errors, relative to the output's spread; of several
  /// outputs, that of the output whose error is largest relative to its tolerance.
  public let error: Double
  /// The largest `error` that the file allows for this output.
  public let tolerance: Double
  /// The number of tokens of each example.
  public let tokens: [Int]
  /// The time of each example, the median of the rounds.
  public let milliseconds: [Double]

  public var description: String {
    let texts = [error, tolerance].map { String(format: "%.1e", $0) }
    let times = [milliseconds[0], milliseconds.last!].map { String(format: "%.1f", $0) }
    return "\(isRight ? "right" : "WRONG") on \(tokens.count) golden examples: the largest error is "
      + "\(texts[0]), where \(texts[1]) is allowed; \(times[0]) ms at \(tokens[0]) tokens, "
      + "\(times[1]) ms at \(tokens.last!) tokens"
  }
}

/// The content of a golden.json: inputs, with the exported model's outputs for them.
struct Golden: Decodable {
  static let part = "golden.json"

  struct Limit: Decodable {
    let spread: Double
    let tolerance: Double
    let halfTolerance: Double
  }

  struct Example: Decodable {
    struct Output: Decodable {
      /// Places in the flattened output.
      let entries: [Int]
      let values: [Double]
    }

    let inputIds: [Int32]
    let tokenTypeIds: [Int32]?
    let outputs: [String: Output]

    var row: Row {
      let tokens = inputIds.map { Token(id: $0, start: 0, end: 0) }
      return Row(tokens: tokens, tokenTypeIDs: tokenTypeIds ?? inputIds.map { _ in 0 })
    }
  }

  let outputs: [String: Limit]
  let examples: [Example]

  /// What is wrong with them, whatever the file computes.
  var fault: String? {
    if outputs.isEmpty || examples.isEmpty { return "it names no outputs, or no examples" }
    let limits = outputs.values.flatMap { [$0.spread, $0.tolerance, $0.halfTolerance] }
    if limits.contains(where: { $0 <= 0 }) { return "a spread or tolerance is not above 0" }
    for example in examples {
      let ids = example.inputIds
      if ids.isEmpty || ids.count != (example.tokenTypeIds ?? ids).count {
        return "an example has no tokens"
      }
      for name in outputs.keys {
        guard let wanted = example.outputs[name] else { return "an example lacks an output" }
        if wanted.entries.count != wanted.values.count || wanted.entries.min() ?? -1 < 0 {
          return "entries and values do not go together"
        }
      }
    }
    return nil
  }

  /// Runs each example `rounds` times; every round must be right.
  ///
  /// - Parameters:
  ///   - isHalf: whether the runner computes in 16 bits.
  ///   - run: runs a row.
  func test(rounds: Int, isHalf: Bool, run: (Row) throws -> Outputs) throws -> SelfTest {
    var errors = outputs.mapValues { _ in 0.0 }
    var times: [[Double]] = []
    for _ in 0..<rounds {
      var results: [Outputs] = []
      times.append(
        try examples.map { example in
          let start = DispatchTime.now().uptimeNanoseconds
          results.append(try run(example.row))
          return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
        })
      for (name, limit) in outputs {
        let error = try error(name, results) / limit.spread
        errors[name] = error.isNaN ? .infinity : max(errors[name]!, error)
      }
    }
    let tolerances = outputs.mapValues { isHalf ? $0.halfTolerance : $0.tolerance }
    let worst = errors.keys.max { errors[$0]! / tolerances[$0]! < errors[$1]! / tolerances[$1]! }!
    return SelfTest(
      isRight: errors.allSatisfy { $0.value <= tolerances[$0.key]! },
      error: errors[worst]!, tolerance: tolerances[worst]!,
      tokens: examples.map(\.inputIds.count),
      milliseconds: examples.indices.map { i in times.map { $0[i] }.sorted()[times.count / 2] })
  }

  /// The root mean square of an output's errors over all examples.
  private func error(_ name: String, _ results: [Outputs]) throws -> Double {
    var squares: [Double] = []
    for (example, result) in zip(examples, results) {
      let wanted = example.outputs[name]!
      let found = result[name] ?? []
      if let beyond = wanted.entries.first(where: { $0 >= found.count }) {
        throw ModelError("it wants number \(beyond) of an output of \(found.count)")
      }
      squares += zip(wanted.entries, wanted.values).map { pow(Double(found[$0]) - $1, 2) }
    }
    return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }
}

extension Model {
  /// Runs the golden examples that the file carries, and compares with the exported model's
  /// outputs. It tells whether this file, on this device and with this backend, computes what the
  /// model does.
  ///
  /// - Parameter rounds: how often to run each example. Some delegates are right only once.
  /// - Throws: `ModelError` if the file carries no golden examples, or damaged ones.
  public func selfTest(rounds: Int = 3) throws -> SelfTest {
    try require(rounds >= 1, "rounds must be a whole number of 1 or more, not \(rounds).")
    let golden = try file.golden()
    return try whileOpen { graph in
      do {
        return try golden.test(rounds: rounds, isHalf: graph.isHalf) { row in
          var outputs: Outputs = [:]
          try graph.run([row], isTest: true) { found, _ in outputs = found }
          return outputs
        }
      } catch let error as ModelError {
        throw damaged(Golden.part, in: file.name, error.description, fault: "can not be run")
      }
    }
  }

  /// Opens a file with the backend that is fastest on its golden examples, of those that are right.
  ///
  /// A delegate that crashes takes the app along: try new ones in development.
  ///
  /// - Throws: `ModelError` if the file carries no golden examples, or no backend is right.
  public static func fastest(
    _ url: URL, of backends: [Backend], rounds: Int = 5
  ) throws -> (model: Model, selfTest: SelfTest) {
    var best: (model: Model, selfTest: SelfTest)?
    var reasons: [String] = []
    for backend in backends {
      do {
        let model = try load(url, backend: backend)
        let result = try model.selfTest(rounds: rounds)
        if !result.isRight {
          reasons.append("\(result)")
        } else if result.sum < best?.selfTest.sum ?? .infinity {
          best = (model, result)
        }
      } catch {
        reasons.append("\(error)")
      }
    }
    if let best { return best }
    throw ModelError(
      "No backend runs '\(url.relativePath)' correctly: \(reasons.joined(separator: "; "))")
  }
}

extension SelfTest {
  fileprivate var sum: Double { milliseconds.reduce(0, +) }
}
