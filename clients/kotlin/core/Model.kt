package tfsqueezebert

import java.nio.ByteBuffer

/**
 * A loaded .tflite file: text in, answer out.
 *
 * Several threads may use it; calls of the file take turns. Close it to free its memory.
 */
class Model private constructor(private val file: ModelFile, runner: Runner) : AutoCloseable {
    private val graph = Graph(file, runner)

    /** The class of the exported model, for instance "SqueezeBertForTokenClassification". */
    val architecture get() = file.architecture

    /** The names of the labels, by their ids. */
    val labels get() = file.config.labels

    /** The number of tokens of the longest text that the file takes. */
    val maxLength get() = file.maxLength

    /**
     * Answers a text.
     *
     * @param text the text; for question answering the question
     * @param others nothing, or the second text of a pair; for question answering the context, for
     *   multiple choice the choices
     * @param topK for masked LM, the number of tokens to return for each [MASK]; by default 5
     * @param handleImpossibleAnswer for question answering, whether "no answer" is allowed; by
     *   default it is not
     * @throws IllegalArgumentException the texts or options do not fit the task, or the model's
     *   outputs are not finite
     */
    fun predict(
        text: String,
        vararg others: String,
        topK: Int? = null,
        handleImpossibleAnswer: Boolean? = null,
    ): Answer = predict(listOf(text, *others), Options(topK, handleImpossibleAnswer))

    internal fun predict(texts: List<String>, options: Options): Answer {
        val unknown = options.given - file.task.options.toSet()
        require(unknown.isEmpty()) {
            "${file.task.title} has no option ${unknown.joinToString()}."
        }
        return file.task.answer(texts, options) { rows ->
            graph.run(rows).onEach(::checkFinite)
        }
    }

    /** The tokens of a text or a pair: as many as the file takes, the longer text cut first. */
    fun tokenize(text: String, pair: String? = null): Row {
        val tokenizer = file.tokenizer
        return tokenizer.truncated(maxLength, tokenizer.encode(text), pair?.let(tokenizer::encode))
    }

    /**
     * Runs the golden examples that the file carries, and compares the outputs with those of the
     * exported model: whether this file, on this device and delegate, computes what it should.
     *
     * @param rounds how often to run each example; every round must be right, and some delegates
     *   are right in the first only
     * @param half whether the delegate computes in float16, as phones' GPUs do by default
     * @throws IllegalArgumentException the file carries no golden examples, or damaged ones
     */
    fun selfTest(rounds: Int = 1, half: Boolean = false): SelfTest {
        require(rounds >= 1) { "rounds must be a whole number of 1 or more, not $rounds." }
        val golden = file.readGolden()
        return file.inPart(GOLDEN, "can not be run") { golden.run(rounds, half, graph::run) }
    }

    /** Frees the memory. The model can not be used afterwards. */
    override fun close() = graph.close()

    companion object {
        /**
         * Opens a file, by a runner of your own; the `load` functions call this.
         *
         * @param content the whole file, which may be mapped
         * @param name the file's name, for errors
         * @param createRunner makes the runner of a file with such signatures
         * @throws IllegalArgumentException it is not a file of this package, or is damaged
         */
        fun open(
            content: ByteBuffer,
            name: String,
            createRunner: (List<Signature>) -> Runner,
        ): Model {
            val file = ModelFile(content, name)
            return Model(file, createRunner(file.signatures))
        }
    }
}

private fun checkFinite(outputs: Outputs) {
    for ((name, values) in outputs) {
        require(values.all { it.isFinite() }) {
            "The model's $name hold NaN or infinity: its weights are damaged, or the numbers it " +
                "computes with overflow. Run it in float32, or load its weights again."
        }
    }
}
