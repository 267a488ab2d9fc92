package tfsqueezebert

private val FIRST = listOf("B-", "S-", "U-") // B(egin), S(ingle) or U(nit)
private val LAST = listOf("E-", "L-", "S-", "U-") // E(nd) or L(ast)
private val PREFIXES = FIRST + LAST + "I-" // I(nside)

/** Token classification: labels each word of a text, and joins words to entities. */
internal class TokenClassification(context: Context) : Task(context) {
    private val labels = context.config.labels
    override val title = "Token classification"
    override val outputs = mapOf("logits" to labels.size)

    override fun answer(
        texts: List<String>,
        options: Options,
        run: (List<Row>) -> List<Outputs>,
    ): Answer {
        require(texts.size == 1) { "$title takes one text." }
        val text = texts.single()
        checkWindowed("The text", text)
        val parts = windows(tokenizer.encode(text), maxLength - 2, overlapOf(maxLength))
        val rows = parts.map { tokenizer.row(it, null) }
        val found = run(rows).flatMapIndexed { i, outputs -> read(outputs, rows[i].tokens) }
        // Where windows overlap, the window with the most context around a word labels it.
        val words = found.groupBy { it.number }.toSortedMap().values
            .map { windows -> windows.maxBy { it.edge } }
            .map { Word(it.label, it.score, it.start, it.end, text.substring(it.start, it.end)) }
        return EntitiesAnswer(words, entities(words, text))
    }

    /** A word's label in a window, and its distance from the window's edge. */
    private class Found(
        val number: Int,
        val edge: Int,
        val label: String,
        val score: Double,
        val start: Int,
        val end: Int,
    )

    /** The label of each word, from its first piece. */
    private fun read(outputs: Outputs, tokens: List<Token>): List<Found> {
        val logits = outputs.getValue("logits")
        val places = tokens.indices.filter { tokens[it].word != null }
        return places.groupBy { tokens[it].word!! }.map { (number, pieces) ->
            val first = pieces.first()
            val scores = softmax(logits, first * labels.size, labels.size)
            val best = best(scores)
            Found(
                number,
                minOf(first, tokens.size - first),
                labels[best],
                scores[best].toDouble(),
                tokens[first].start,
                tokens[pieces.last()].end,
            )
        }
    }
}

/**
 * Joins neighbouring words of one entity, by labels in the forms BIO, BIOES, BILOU or IO. For
 * labels without such prefixes, each run of the same label is an entity.
 */
private fun entities(words: List<Word>, text: String): List<Entity> {
    val groups = ArrayList<MutableList<Word>>()
    var previous = "O"
    for (word in words) {
        val label = word.label
        if (label != "O") {
            val begins = previous == "O" || FIRST.any(label::startsWith) ||
                LAST.any(previous::startsWith) || kindOf(label) != kindOf(previous)
            if (begins) groups.add(ArrayList())
            groups.last().add(word)
        }
        previous = label
    }
    return groups.map { group ->
        val start = group.first().start
        val end = group.last().end
        val score = group.sumOf { it.score } / group.size
        Entity(kindOf(group[0].label), score, text.substring(start, end), start, end)
    }
}

private fun kindOf(label: String) =
    if (PREFIXES.any(label::startsWith)) label.substring(2) else label
