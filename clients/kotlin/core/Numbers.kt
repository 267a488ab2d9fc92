package tfsqueezebert

import kotlin.math.exp

// Scores are computed in float32, as in Python, so that ties and zeros fall where they do there.

/** The softmax of `size` numbers from a place on. */
internal fun softmax(logits: FloatArray, from: Int = 0, size: Int = logits.size): FloatArray {
    var most = logits[from]
    for (i in from until from + size) if (logits[i] > most) most = logits[i]
    val powers = FloatArray(size) { exp(logits[from + it] - most) }
    val sum = powers.fold(0.0) { sum, power -> sum + power }
    return FloatArray(size) { (powers[it] / sum).toFloat() }
}

internal fun sigmoid(logits: FloatArray) = FloatArray(logits.size) { 1 / (1 + exp(-logits[it])) }

/** The place of the largest number, the first one if there are several. */
internal fun best(numbers: FloatArray): Int {
    var found = 0
    for (i in numbers.indices) if (numbers[i] > numbers[found]) found = i
    return found
}

/** The places of the `count` largest numbers, in their order. */
internal fun largest(numbers: FloatArray, count: Int): List<Int> {
    val found = ArrayList<Int>()
    for (i in numbers.indices) {
        if (found.size == count && numbers[i] <= numbers[found.last()]) continue
        val place = found.indexOfFirst { numbers[i] > numbers[it] }
        found.add(if (place < 0) found.size else place, i)
        if (found.size > count) found.removeAt(count)
    }
    return found
}
