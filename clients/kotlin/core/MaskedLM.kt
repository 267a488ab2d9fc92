package tfsqueezebert

private const val TOP_K = 5

/** Masked language modelling: predicts the tokens in place of [MASK]. */
internal class MaskedLM(context: Context) : Task(context) {
    private val size = context.config.vocabSize
    override val title = "Masked language modelling"
    override val outputs = mapOf("logits" to size)
    override val options get() = listOf("top_k")

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        val topK = options.topK ?: TOP_K
        require(topK >= 1) { "top_k must be a whole number from 1, not $topK." }
        val row = row(texts)
        checkMasks(texts, row)
        val logits = run(listOf(row)).single().getValue("logits")
        val places = row.tokens.indices.filter { row.tokens[it].id == tokenizer.mask }
        val masks = places.map { place ->
            val scores = softmax(logits, place * size, size)
            largest(scores, topK).associate { tokenizer.content(it) to scores[it].toDouble() }
        }
        return MaskAnswer(masks, row.isTruncated)
    }

    /** Refuses a text without a [MASK], or with one that was cut off. */
    private fun checkMasks(texts: List<String>, row: Row) {
        val text = quoted(texts[0], 40)
        val kept = countMasks(row.tokens)
        val given = if (row.isTruncated) texts.sumOf { countMasks(tokenizer.encode(it)) } else kept
        require(kept == given) {
            "The text $text has a ${tokenizer.maskToken} beyond the $maxLength tokens that the " +
                "model takes: shorten the text."
        }
        require(kept > 0) { "The text $text has no ${tokenizer.maskToken}: add one to fill." }
    }

    private fun countMasks(tokens: List<Token>) = tokens.count { it.id == tokenizer.mask }
}
