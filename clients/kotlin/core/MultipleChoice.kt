package tfsqueezebert

import kotlin.math.exp

/** Multiple choice: chooses which of several texts fits a text. Each choice makes a row. */
internal class MultipleChoice(context: Context) : Task(context) {
    override val title = "Multiple choice"
    override val outputs = mapOf("logits" to 1)

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        require(texts.size >= 3) { "$title takes a text and at least two choices." }
        val choices = texts.drop(1)
        val text = tokenizer.encode(texts[0])
        val rows = choices.map { tokenizer.truncated(maxLength, text, tokenizer.encode(it)) }
        val logits = run(rows).map { it.getValue("logits")[0] }.toFloatArray()
        val index = best(logits)
        val powers = logits.map { exp(it.toDouble() - logits[index]) }
        val scores = powers.map { it / powers.sum() }
        return ChoiceAnswer(choices[index], index, scores, rows.any { it.isTruncated })
    }
}
