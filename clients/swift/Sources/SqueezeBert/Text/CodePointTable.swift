/// Runs of code points, each with some numbers.
///
/// The packed numbers are in base 36. Those of a run are its distance from the end of the run
/// before, its length less one, and one for each further column.
struct CodePointTable: Sendable {
  private var firsts: [UInt32] = []
  private var lasts: [UInt32] = []
  private var values: [Int] = []
  private let columns: Int

  init(columns: Int, _ packed: StaticString) {
    self.columns = columns
    let numbers = packed.description.split { $0.isWhitespace }.map { Int($0, radix: 36)! }
    var end = 0
    for start in stride(from: 0, to: numbers.count, by: columns + 2) {
      firsts.append(UInt32(end + numbers[start]))
      end += numbers[start] + numbers[start + 1]
      lasts.append(UInt32(end))
      values += numbers[start + 2..<start + 2 + columns]
    }
  }

  func contains(_ code: UInt32) -> Bool {
    run(of: code) != nil
  }

  /// The first code point of the run that holds one, and the run's numbers.
  func values(of code: UInt32) -> (first: UInt32, numbers: ArraySlice<Int>)? {
    guard let run = run(of: code) else { return nil }
    return (firsts[run], values[run * columns..<(run + 1) * columns])
  }

  private func run(of code: UInt32) -> Int? {
    var low = 0
    var high = firsts.count
    while low < high {
      let middle = (low + high) / 2
      if firsts[middle] <= code { low = middle + 1 } else { high = middle }
    }
    return low > 0 && code <= lasts[low - 1] ? low - 1 : nil
  }
}
