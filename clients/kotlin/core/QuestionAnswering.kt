package tfsqueezebert

private const val MOST_ANSWER_TOKENS = 30

/** Extractive question answering: finds the answer to a question in a context. */
internal class QuestionAnswering(context: Context) : Task(context) {
    override val title = "Question answering"
    override val outputs = mapOf("start_logits" to null, "end_logits" to null)
    override val options get() = listOf("handle_impossible_answer")

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        require(texts.size == 2) { "$title takes a question and a context." }
        val (question, context) = texts
        val rows = rows(question, context)
        val windows = run(rows).mapIndexed { i, outputs -> read(outputs, rows[i].tokens) }
        val none = windows.minOf { it.none }
        val best = windows.maxBy { it.score }
        if (options.handleImpossibleAnswer == true && none > best.score) {
            return SpanAnswer("", none.toDouble(), 0, 0)
        }
        val answer = context.substring(best.start, best.end)
        return SpanAnswer(answer, best.score.toDouble(), best.start, best.end)
    }

    private fun rows(question: String, context: String): List<Row> {
        checkWindowed("The question", question)
        checkWindowed("The context", context)
        val asked = tokenizer.encode(question)
        val tokens = tokenizer.encode(context)
        val overlap = overlapOf(maxLength)
        val room = maxLength - asked.size - 3
        if (tokens.size <= room) return listOf(tokenizer.row(asked, tokens))
        require(room > overlap) {
            "The question ${quoted(question, 60)} has ${asked.size} tokens, but only " +
                "${maxOf(maxLength - overlap - 4, 0)} leave room for the context at max_length " +
                "$maxLength and stride $overlap: shorten it, or pass a greater max_length."
        }
        return windows(tokens, room, overlap).map { tokenizer.row(asked, it) }
    }

    /** The best answer of a window, and its score of "no answer". */
    private class Window(val none: Float, val score: Float, val start: Int, val end: Int)

    private fun read(outputs: Outputs, tokens: List<Token>): Window {
        val start = scores(outputs.getValue("start_logits"), tokens)
        val end = scores(outputs.getValue("end_logits"), tokens)
        var score = 0f
        var found = tokens[0] to tokens[0]
        for (first in 1 until tokens.size) {
            for (last in first until minOf(first + MOST_ANSWER_TOKENS, tokens.size)) {
                val product = start[first] * end[last]
                if (product > score) {
                    score = product
                    found = tokens[first] to tokens[last]
                }
            }
        }
        return Window(start[0] * end[0], score, found.first.start, found.second.end)
    }

    /**
     * Probabilities of the context's tokens. [CLS] stands for "no answer": it takes its part of the
     * probability, but is not a part of an answer.
     */
    private fun scores(logits: FloatArray, tokens: List<Token>) = softmax(
        FloatArray(tokens.size) {
            if (it == 0 || tokens[it].isSecond) logits[it] else Float.NEGATIVE_INFINITY
        },
    )
}
