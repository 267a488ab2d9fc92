package tfsqueezebert

import kotlin.math.sqrt

/** Embeddings of texts, by the bare model. */
internal class Embedding(context: Context) : Task(context) {
    private val size = context.config.hiddenSize
    override val title = "The bare model"
    override val outputs =
        mapOf("embedding" to size, "last_hidden_state" to size, "pooler_output" to size)

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        val row = row(texts)
        val outputs = run(listOf(row)).single()
        val embedding = outputs["embedding"]
            ?: direction(outputs.getValue("last_hidden_state"), row.tokens.size)
        return EmbeddingAnswer(embedding, row.isTruncated)
    }

    /** The mean of the hidden states of the row's tokens, scaled to length 1. */
    private fun direction(states: FloatArray, count: Int): FloatArray {
        val mean = DoubleArray(size) { i ->
            (0 until count).sumOf { states[it * size + i].toDouble() } / count
        }
        val length = sqrt(mean.sumOf { it * it })
        require(length > 0) { "The mean of the hidden states is 0, which has no direction." }
        return FloatArray(size) { (mean[it] / length).toFloat() }
    }
}
