package tfsqueezebert

/**
 * An answer by the names that Python's `predict` uses.
 *
 * @param places for each place in the text, the number of code points before it
 */
internal fun Answer.toMap(places: IntArray): Map<String, Any?> {
    fun place(start: Int, end: Int) = mapOf("start" to places[start], "end" to places[end])
    val fields: Map<String, Any?> = when (this) {
        is LabelAnswer -> mapOf("label" to label, "score" to score, "scores" to scores)
        is LabelsAnswer ->
            mapOf("label" to label, "score" to score, "labels" to labels, "scores" to scores)
        is RegressionAnswer -> mapOf("values" to values)
        is EntitiesAnswer -> mapOf(
            "words" to words.map {
                mapOf("label" to it.label, "score" to it.score) + place(it.start, it.end) +
                    ("word" to it.word)
            },
            "entities" to entities.map {
                mapOf("entity_group" to it.group, "score" to it.score, "word" to it.word) +
                    place(it.start, it.end)
            },
        )
        is SpanAnswer -> mapOf("answer" to answer, "score" to score) + place(start, end)
        is MaskAnswer -> mapOf("masks" to masks)
        is ChoiceAnswer -> mapOf("choice" to choice, "index" to index, "scores" to scores)
        is EmbeddingAnswer -> mapOf("embedding" to embedding.toList())
    }
    val isTruncated = this is TruncatedAnswer && truncated
    return if (isTruncated) fields + ("truncated" to true) else fields
}

/** A value as JSON in ASCII, which no setting of a terminal changes. */
internal fun toJson(value: Any?): String = when (value) {
    is Map<*, *> -> value.entries.joinToString(", ", "{", "}") { (name, each) ->
        "${toJson(name)}: ${toJson(each)}"
    }
    is JsonObject -> toJson(value.names.associateWith { value[it] })
    is List<*> -> value.joinToString(", ", "[", "]", transform = ::toJson)
    is String -> value.map(::escaped).joinToString("", "\"", "\"")
    else -> value.toString() // a number, true, false or null
}

private fun escaped(character: Char): String = when (character) {
    '"', '\\' -> "\\$character"
    in ' '..'~' -> character.toString()
    else -> "\\u%04x".format(character.code)
}
