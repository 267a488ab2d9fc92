package tfsqueezebert

/**
 * Opens a file in several ways, and keeps the one that is fastest on the file's golden examples, of
 * those that are right. A delegate that crashes takes the app along: try new ones in development.
 *
 * @param ways open it, such as `{ Model.load(assets, "reviews.tflite") }`; each may open a file that
 *   was exported for it
 * @param rounds how often to run each example; the median counts, and every round must be right
 * @param half whether a delegate may compute in float16, as phones' GPUs do by default
 * @return the model, and the result of its self test
 * @throws IllegalArgumentException no way runs a file correctly; the message says why
 */
fun fastest(
    vararg ways: () -> Model,
    rounds: Int = 5,
    half: Boolean = false,
): Pair<Model, SelfTest> {
    var best: Pair<Model, SelfTest>? = null
    val reasons = mutableListOf<String>()
    for (open in ways) {
        val found = try {
            tested(open(), rounds, half)
        } catch (error: Exception) { // runners have errors of several classes
            reasons += error.message ?: "$error"
            continue
        }
        if (best != null && best.time <= found.time) {
            found.first.close()
        } else {
            best?.first?.close()
            best = found
        }
    }
    return requireNotNull(best) {
        "Nothing here runs the file correctly: ${reasons.joinToString("; ")}"
    }
}

private fun tested(model: Model, rounds: Int, half: Boolean): Pair<Model, SelfTest> = try {
    val result = model.selfTest(rounds, half)
    require(result.right) { "$result" }
    model to result
} catch (error: Exception) {
    model.close()
    throw error
}

private val Pair<Model, SelfTest>.time get() = second.milliseconds.sum()
