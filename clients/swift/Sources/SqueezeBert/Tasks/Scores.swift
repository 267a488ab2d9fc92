import Foundation

// Scores are computed in 64 bits, as in Python: in 32 bits, those near 1 would be equal.

func softmax(_ logits: some Collection<Float>) -> [Double] {
  let most = Double(logits.max() ?? 0)
  let powers = logits.map { exp(Double($0) - most) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

func sigmoid(_ logits: [Float]) -> [Double] {
  logits.map { 1 / (1 + exp(-Double($0))) }
}

/// The place of the largest number, the first one if there are several.
func best(_ numbers: [some Comparable]) -> Int {
  numbers.indices.reduce(0) { numbers[$1] > numbers[$0] ? $1 : $0 }
}

/// The places of the largest numbers, in their order; of equal ones, the first comes first.
func largest(_ numbers: [Double], count: Int) -> [Int] {
  var found: [Int] = []
  for (i, number) in numbers.enumerated() {
    if found.count == count, number <= numbers[found[count - 1]] { continue }
    let place = found.lastIndex { numbers[$0] >= number }.map { $0 + 1 } ?? 0
    found.insert(i, at: place)
    if found.count > count { found.removeLast() }
  }
  return found
}
