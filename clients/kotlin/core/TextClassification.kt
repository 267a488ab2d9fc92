package tfsqueezebert

/** Text classification, for single texts or pairs: one label, several labels, or numbers. */
internal class TextClassification(context: Context) : Task(context) {
    private val labels = context.config.labels
    override val title = "Sequence classification"
    override val outputs = mapOf("logits" to labels.size, "probability" to labels.size)

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        val row = row(texts)
        val outputs = run(listOf(row)).single()
        return when (context.config.problemType) {
            "regression" -> RegressionAnswer(byLabel(outputs.getValue("logits")), row.isTruncated)
            "multi_label_classification" -> ofSeveral(scores(outputs, ::sigmoid), row.isTruncated)
            else -> ofOne(scores(outputs, ::softmax), row.isTruncated)
        }
    }

    /** A file for MediaPipe returns probabilities already. */
    private fun scores(outputs: Outputs, activation: (FloatArray) -> FloatArray) =
        outputs["probability"] ?: activation(outputs.getValue("logits"))

    private fun ofOne(scores: FloatArray, truncated: Boolean): LabelAnswer {
        val best = best(scores)
        return LabelAnswer(labels[best], scores[best].toDouble(), byLabel(scores), truncated)
    }

    private fun ofSeveral(scores: FloatArray, truncated: Boolean): LabelsAnswer {
        val best = best(scores)
        val found = labels.filterIndexed { i, _ -> scores[i] >= 0.5f }
        val score = scores[best].toDouble()
        return LabelsAnswer(labels[best], score, found, byLabel(scores), truncated)
    }

    private fun byLabel(values: FloatArray) = labels.zip(values.map { it.toDouble() }).toMap()
}
