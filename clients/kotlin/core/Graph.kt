package tfsqueezebert

/**
 * What computes: a way to call a file. A model never calls it from two threads at once.
 */
interface Runner : AutoCloseable {
    /**
     * Calls the file.
     *
     * @param signature one of the file's
     * @param inputs `input_ids`, `attention_mask` and `token_type_ids` by name, [batch, length]
     * @return the outputs by name, batch after batch
     */
    fun run(
        signature: Signature,
        inputs: Map<String, IntArray>,
        batch: Int,
        length: Int,
    ): Map<String, FloatArray>
}

/** Opens a file that LiteRT may refuse. */
internal inline fun <T> openedByLiteRt(name: String, open: () -> T): T = try {
    open()
} catch (error: IllegalArgumentException) {
    throw IllegalArgumentException(
        "'$name' is damaged, LiteRT can not open it: export it again (${error.message}).",
        error,
    )
}

/** Runs rows of tokens: pads them to a length that the file takes, and takes the outputs apart. */
internal class Graph(private val file: ModelFile, private val runner: Runner) : AutoCloseable {
    private var isClosed = false

    /** The outputs for each row. A file of a fixed batch runs several rows at once. */
    fun run(rows: List<Row>): List<Outputs> =
        rows.chunked(file.signatures[0].batch ?: 1).flatMap(::runTogether)

    private fun runTogether(rows: List<Row>): List<Outputs> {
        rows.forEach(::checkRow)
        val longest = rows.maxOf { it.tokens.size }
        // The shortest that fits.
        val signature = requireNotNull(file.signatures.find { longest <= (it.length ?: longest) }) {
            "The input has $longest tokens, the file takes at most ${file.maxLength}: truncate it."
        }
        val batch = signature.batch ?: rows.size
        val outputs = call(signature, rows, batch, signature.length ?: longest)
        return rows.indices.map { i -> outputs.mapValues { (_, x) -> part(x, i, batch) } }
    }

    private fun call(signature: Signature, rows: List<Row>, batch: Int, length: Int): Outputs {
        val inputs = mapOf(
            "input_ids" to padded(rows.map { it.ids }, batch, length),
            "attention_mask" to padded(rows.map { IntArray(it.tokens.size) { 1 } }, batch, length),
            "token_type_ids" to padded(rows.map { it.types }, batch, length),
        )
        synchronized(this) {
            check(!isClosed) { "The model is closed: load it again." }
            try {
                return runner.run(signature, inputs, batch, length)
            } catch (error: Exception) {
                throw IllegalArgumentException(
                    "The file does not run $batch texts of $length tokens, so it is damaged: " +
                        "export it again (${error.message}).",
                    error,
                )
            }
        }
    }

    private fun padded(rows: List<IntArray>, batch: Int, length: Int): IntArray {
        val values = IntArray(batch * length)
        rows.forEachIndexed { i, row -> row.copyInto(values, i * length) }
        return values
    }

    /** A row's part of an output for several. */
    private fun part(output: FloatArray, i: Int, batch: Int): FloatArray {
        val size = output.size / batch
        return if (batch == 1) output else output.copyOfRange(i * size, (i + 1) * size)
    }

    /** Refuses ids for which the model has no embeddings. */
    private fun checkRow(row: Row) {
        checkIds("input_ids", row.ids, file.config.vocabSize, "vocab_size")
        checkIds("token_type_ids", row.types, file.config.typeVocabSize, "type_vocab_size")
    }

    private fun checkIds(name: String, ids: IntArray, size: Int, sizeName: String) {
        val wrong = ids.find { it !in 0 until size }
        require(wrong == null) {
            "$name holds $wrong, but must lie in [0, $size), the model's $sizeName: was the text " +
                "tokenized with this model's vocabulary?"
        }
    }

    override fun close() = synchronized(this) {
        if (!isClosed) runner.close()
        isClosed = true
    }
}
