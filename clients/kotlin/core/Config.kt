package tfsqueezebert

private const val REGRESSION = "regression"
private const val ONE_LABEL = "single_label_classification"
private val PROBLEMS = setOf(REGRESSION, ONE_LABEL, "multi_label_classification")

/**
 * What tasks need of a file's config.json.
 *
 * @throws IllegalArgumentException a field is missing or damaged; the message is not a whole
 *   sentence
 */
internal class Config(json: JsonObject) {
    val labels = labelsIn(json)
    val problemType = json.string("problem_type")
        ?: if (labels.size == 1) REGRESSION else ONE_LABEL
    val vocabSize = sizeIn(json, "vocab_size")
    val typeVocabSize = sizeIn(json, "type_vocab_size")
    val hiddenSize = sizeIn(json, "hidden_size")
    val maxPositions = sizeIn(json, "max_position_embeddings")

    init {
        require(problemType in PROBLEMS) { "problem_type is ${quoted(problemType, 60)}" }
    }
}

private fun labelsIn(json: JsonObject): List<String> {
    val labels = requireNotNull(json.obj("id2label")) { "id2label is missing" }
    return List(labels.names.size) { id ->
        requireNotNull(labels.string("$id")) { "id2label lacks the label $id" }
    }
}

private fun sizeIn(json: JsonObject, name: String): Int {
    val value = json.int(name)
    require(value != null && value > 0) { "$name is not a number above 0" }
    return value
}
