package tfsqueezebert

import kotlin.math.sqrt

internal const val GOLDEN = "golden.json"

/**
 * The result of [Model.selfTest].
 *
 * @property right whether every output is as close to the exported model's as the file allows
 * @property error the root mean square of an output's errors, relative to the output's spread; of
 *   several outputs, that of the output whose error is largest relative to its tolerance
 * @property tolerance the largest error that the file allows for this output
 * @property tokens the number of tokens of each example, ascending
 * @property milliseconds the time of each example, the median of the rounds
 */
class SelfTest internal constructor(
    val right: Boolean,
    val error: Double,
    val tolerance: Double,
    val tokens: List<Int>,
    val milliseconds: List<Double>,
) {
    override fun toString() = (if (right) "right" else "WRONG") +
        " on ${tokens.size} golden examples: the largest error is %.1e, where %.1e is allowed; "
            .format(error, tolerance) +
        "%.1f ms at ${tokens.first()} tokens, %.1f ms at ${tokens.last()} tokens"
            .format(milliseconds.first(), milliseconds.last())
}

/**
 * The golden examples of a file: inputs, with some numbers of the exported model's outputs.
 *
 * @param json the content of golden.json
 * @throws IllegalArgumentException it is damaged; the message is not a whole sentence
 */
internal class Golden(json: JsonObject) {
    private val limits = objects(json, "outputs").mapValues { (_, limit) -> Limit(limit) }
    private val examples = json.list("examples").orEmpty().map { example ->
        require(example is JsonObject) { "an example is not an object" }
        Example(example)
    }

    init {
        require(limits.isNotEmpty() && examples.isNotEmpty()) {
            "it names no outputs, or no examples"
        }
        require(examples.all { it.wanted.keys.containsAll(limits.keys) }) {
            "an example lacks an output"
        }
    }

    /** How much an output may differ. */
    private class Limit(json: JsonObject) {
        val spread = json.number("spread")
        val tolerance = json.number("tolerance")
        val halfTolerance = json.number("half_tolerance")

        init {
            require(minOf(spread, tolerance, halfTolerance) > 0) {
                "a spread or tolerance is not above 0"
            }
        }
    }

    /** Some numbers of an output: `values` are wanted at `entries`. */
    private class Wanted(json: JsonObject) {
        val entries = json.ints("entries") ?: IntArray(0)
        val values = json.list("values").orEmpty().map {
            requireNotNull(it as? Number) { "a value is not a number" }.toDouble()
        }

        init {
            require(entries.isNotEmpty() && entries.size == values.size) {
                "entries and values do not go together"
            }
        }
    }

    private class Example(json: JsonObject) {
        val row: Row
        val wanted = objects(json, "outputs").mapValues { (_, wanted) -> Wanted(wanted) }

        init {
            val ids = requireNotNull(json.ints("input_ids")) { "an example has no input_ids" }
            val types = json.ints("token_type_ids") ?: IntArray(ids.size)
            require(ids.isNotEmpty() && types.size == ids.size) { "an example has no tokens" }
            row = Row(ids.map { Token(it) }, types)
        }
    }

    /**
     * Runs the examples in turn, `rounds` times, and compares each round with the model.
     *
     * @param half whether the tolerances for float16 arithmetic hold
     */
    fun run(rounds: Int, half: Boolean, run: (List<Row>) -> List<Outputs>): SelfTest {
        val times = examples.map { ArrayList<Double>() }
        val errors = limits.keys.associateWith { ArrayList<Double>() }
        repeat(rounds) {
            val outputs = examples.mapIndexed { i, example ->
                val start = System.nanoTime()
                val found = run(listOf(example.row)).single()
                times[i].add((System.nanoTime() - start) / 1e6)
                found
            }
            for ((name, all) in errors) all.add(errorOf(name, outputs))
        }
        val worst = errors.mapValues { (_, all) -> all.maxBy(::orInfinity) }
        fun tolerance(name: String) =
            limits.getValue(name).run { if (half) halfTolerance else tolerance }
        val name = limits.keys.maxBy { orInfinity(worst.getValue(it) / tolerance(it)) }
        return SelfTest(
            worst.all { (output, error) -> error <= tolerance(output) },
            worst.getValue(name),
            tolerance(name),
            examples.map { it.row.tokens.size },
            times.map(::median),
        )
    }

    /** An output's error over all examples: a root mean square, relative to the spread. */
    private fun errorOf(name: String, outputs: List<Outputs>): Double {
        var sum = 0.0
        var count = 0
        for ((example, found) in examples.zip(outputs)) {
            val wanted = example.wanted.getValue(name)
            val output = found[name] ?: FloatArray(0)
            for ((entry, value) in wanted.entries.zip(wanted.values)) {
                require(entry in output.indices) {
                    "it wants number $entry of an output of ${output.size}"
                }
                sum += (output[entry] - value) * (output[entry] - value)
                count++
            }
        }
        return sqrt(sum / count) / limits.getValue(name).spread
    }
}

private fun median(numbers: List<Double>): Double {
    val sorted = numbers.sorted()
    return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
}

/** NaN as a number that is larger than all others. */
private fun orInfinity(error: Double) = if (error.isNaN()) Double.POSITIVE_INFINITY else error

private fun objects(json: JsonObject, name: String): Map<String, JsonObject> {
    val objects = json.obj(name) ?: JsonObject(emptyMap())
    return objects.names.associateWith { requireNotNull(objects.obj(it)) { "$it is null" } }
}
