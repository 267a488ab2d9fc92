package tfsqueezebert

/** The outputs of a call for one row, by name. They may go beyond the row's tokens. */
internal typealias Outputs = Map<String, FloatArray>

/** What a task knows of its model. */
internal class Context(val config: Config, val tokenizer: Tokenizer, val maxLength: Int)

/** Options of `predict`; null stands for the default, and for an option that was not given. */
internal class Options(val topK: Int? = null, val handleImpossibleAnswer: Boolean? = null) {
    val given = listOfNotNull(
        "handle_impossible_answer".takeIf { handleImpossibleAnswer != null },
        "top_k".takeIf { topK != null },
    )
}

/** A task: how texts become rows of tokens, and outputs become an answer. */
internal abstract class Task(protected val context: Context) {
    protected val tokenizer = context.tokenizer
    protected val maxLength = context.maxLength

    /** A name for use in sentences. */
    abstract val title: String

    /** The outputs that a file may have, with the size of their last axis; null if it is free. */
    abstract val outputs: Map<String, Int?>

    /** The names of the options that it takes. */
    open val options: List<String> get() = emptyList()

    /**
     * Answers a text.
     *
     * @param texts the text, and what belongs to it: a second text, a context, choices
     * @param run calls the model
     * @throws IllegalArgumentException the texts or options do not fit the task
     */
    abstract fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer

    /** The row of a text, or of a pair. */
    protected fun row(texts: List<String>): Row {
        require(texts.size <= 2) { "$title takes one text, or a pair." }
        val (first, second) = texts.map(tokenizer::encode).let { it[0] to it.getOrNull(1) }
        return tokenizer.truncated(maxLength, first, second)
    }
}

/** The task of a model's class; null if there is no such class. */
internal fun taskOf(architecture: String, context: Context): Task? = when (architecture) {
    "SqueezeBertModel" -> Embedding(context)
    "SqueezeBertForMaskedLM" -> MaskedLM(context)
    "SqueezeBertForMultipleChoice" -> MultipleChoice(context)
    "SqueezeBertForQuestionAnswering" -> QuestionAnswering(context)
    "SqueezeBertForSequenceClassification" -> TextClassification(context)
    "SqueezeBertForTokenClassification" -> TokenClassification(context)
    else -> null
}
