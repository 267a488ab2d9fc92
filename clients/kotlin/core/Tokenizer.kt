package tfsqueezebert

private const val SPACE = ' '.code
private const val MOST_CHARACTERS = 100 // of a word that is split into pieces
private val SPECIAL = listOf("unk", "cls", "sep", "pad", "mask")
private const val OTHER_SPACES = "\u000b\u000c\u0085"

/**
 * BERT's tokenizer. Its rules, as the package and the `tokenizers` library follow them, are in
 * clients/conformance/README.md.
 *
 * @param vocabulary the content of a vocab.txt
 * @param settings the content of the tokenizer_config.json beside it
 * @throws IllegalArgumentException one of them is damaged; the message is not a whole sentence
 */
internal class Tokenizer(vocabulary: String, private val settings: JsonObject) {
    private val ids = HashMap<String, Int>()
    private val contents = HashMap<Int, String>()
    private val isLower = settings.boolean("do_lower_case") ?: true
    private val isStripped = settings.boolean("strip_accents") ?: isLower
    private val isChineseSplit = settings.boolean("tokenize_chinese_chars") ?: true
    private val hasTypes = settings.list("model_input_names")?.contains("token_type_ids") ?: true
    private val addedToText: AddedTokens
    private val addedToNormalized: AddedTokens
    private val unk: Int
    private val cls: Int
    private val sep: Int

    /** The token that masked LM fills; null if there is none. */
    val maskToken = special("mask")
    val mask: Int?

    init {
        linesOf(vocabulary).forEachIndexed { id, token ->
            require(token !in ids) { "vocab.txt holds ${quoted(token, 60)} twice" }
            setToken(id, token)
        }
        val added = addedTokens()
        for (token in added.sortedBy { it.id }) {
            require(token.id == (ids[token.content] ?: contents.size)) {
                "the added token ${quoted(token.content, 60)} has the id ${token.id}, which is " +
                    "neither its id in the vocabulary nor the next one after its end"
            }
            setToken(token.id, token.content)
        }
        val (normalized, raw) = added.partition { it.isNormalized }
        addedToText = AddedTokens(raw.associate { charactersOf(it.content) to it.id })
        addedToNormalized =
            AddedTokens(normalized.associate { normalize(charactersOf(it.content)) to it.id })
        unk = idOf("unk")
        cls = idOf("cls")
        sep = idOf("sep")
        mask = ids[maskToken]
    }

    private fun setToken(id: Int, content: String) {
        ids[content] = id
        contents[id] = content
    }

    private class AddedToken(val id: Int, val content: String, val isNormalized: Boolean)

    /** The tokens that are never split: those that the settings list, and special ones. */
    private fun addedTokens(): List<AddedToken> {
        val listed = settings.obj("added_tokens_decoder") ?: JsonObject(emptyMap())
        val added = listed.names.map { id -> addedToken(id, requireNotNull(listed.obj(id))) }
        val others = SPECIAL.mapNotNull(::special).distinct() - added.map { it.content }.toSet()
        return added + others.mapNotNull { content ->
            ids[content]?.let { AddedToken(it, content, isNormalized = false) }
        }
    }

    private fun addedToken(id: String, token: JsonObject): AddedToken {
        val content = token.string("content")
        val number = id.toIntOrNull()
        require(!content.isNullOrEmpty() && number != null) { "an added token is damaged" }
        return AddedToken(number, content, token.boolean("normalized") ?: false)
    }

    /** The content of a special token, such as "mask"; null if there is none. */
    private fun special(use: String): String? = when (val token = settings["${use}_token"]) {
        is String -> token
        is JsonObject -> requireNotNull(token.string("content")) { "${use}_token has no content" }
        null -> if ("${use}_token" in settings) null else "[${use.uppercase()}]"
        else -> throw IllegalArgumentException("${use}_token is not a token")
    }

    private fun idOf(use: String) = requireNotNull(ids[special(use)]) {
        "the vocabulary lacks the ${use}_token '${special(use)}'"
    }

    /** The content of the token with that id. */
    fun content(id: Int) = contents[id] ?: ""

    /** The tokens of a text, without special tokens around it. */
    fun encode(text: String): List<Token> {
        checkText(text)
        val found = ArrayList<Token>()
        var word = 0
        fun addWhole(part: Characters, id: Int) {
            found.add(Token(id, part.start(0), part.end(part.size - 1), word++))
        }
        fun addNormalized(text: Characters) = addedToNormalized.split(text) { part, id ->
            if (id != null) {
                addWhole(part, id)
            } else {
                forEachWord(part) { from, to -> addPieces(part, from, to, word++, found) }
            }
        }
        addedToText.split(charactersOf(text)) { part, id ->
            if (id != null) addWhole(part, id) else addNormalized(normalize(part))
        }
        return found
    }

    private fun normalize(text: Characters): Characters {
        var found = cleaned(text)
        if (isChineseSplit) found = separated(found)
        if (isStripped) found = withoutAccents(found)
        return if (isLower) lowerCased(found) else found
    }

    /** Splits a normalized text at spaces, and around each punctuation mark. */
    private inline fun forEachWord(text: Characters, action: (from: Int, to: Int) -> Unit) {
        var start = 0
        for (i in 0..text.size) {
            val isMark = i < text.size && text.code(i) in PUNCTUATION
            if (i < text.size && text.code(i) != SPACE && !isMark) continue
            if (start < i) action(start, i)
            if (isMark) action(i, i + 1)
            start = i + 1
        }
    }

    /** Adds the longest pieces that the vocabulary has, from the start of a word on. */
    private fun addPieces(
        text: Characters,
        from: Int,
        to: Int,
        word: Int,
        found: MutableList<Token>,
    ) {
        val known = found.size
        var start = from
        while (start < to && to - from <= MOST_CHARACTERS) {
            val prefix = if (start > from) "##" else ""
            val end = (to downTo start + 1).find { prefix + text.string(start, it) in ids } ?: break
            val id = ids.getValue(prefix + text.string(start, end))
            found.add(Token(id, text.start(start), text.end(end - 1), word))
            start = end
        }
        if (start == to) return
        found.subList(known, found.size).clear()
        found.add(Token(unk, text.start(from), text.end(to - 1), word))
    }

    /** A row of the model: `[CLS] first [SEP]`, or `[CLS] first [SEP] second [SEP]`. */
    fun row(first: List<Token>, second: List<Token>?, isTruncated: Boolean = false): Row {
        val tokens = ArrayList<Token>()
        tokens.add(Token(cls))
        tokens.addAll(first)
        tokens.add(Token(sep))
        val length = tokens.size
        if (second != null) {
            second.mapTo(tokens) { it.copy(isSecond = true) }
            tokens.add(Token(sep))
        }
        val types = IntArray(tokens.size) { if (it >= length && hasTypes) 1 else 0 }
        return Row(tokens, types, isTruncated)
    }

    /** A row of at most `most` tokens, for which the longer of two texts is cut first. */
    fun truncated(most: Int, first: List<Token>, second: List<Token>?): Row {
        val room = most - if (second == null) 2 else 3
        if (first.size + (second?.size ?: 0) <= room) return row(first, second)
        if (second == null) return row(first.take(room), null, isTruncated = true)
        val short = minOf(first.size, second.size, room / 2)
        val kept = if (first.size <= second.size) short else room - short
        return row(first.take(kept), second.take(room - kept), isTruncated = true)
    }
}

private fun linesOf(vocabulary: String) =
    vocabulary.trimEnd('\n', '\r').split('\n').map { line ->
        val token = line.removeSuffix("\r")
        token.trimEnd { it.code in WHITESPACE || it in OTHER_SPACES }.ifEmpty { token }
    }

// Settings that may be left out, but not null.
private val NOT_NULL = listOf(
    "do_lower_case",
    "do_basic_tokenize",
    "tokenize_chinese_chars",
    "truncation_side",
    "model_input_names",
    "added_tokens_decoder",
)

/**
 * A setting with which a text would have other tokens than here; null if there is none.
 *
 * @throws IllegalArgumentException a setting is damaged; the message is not a whole sentence
 */
internal fun unsupportedIn(settings: JsonObject): String? {
    for (name in NOT_NULL) require(name !in settings || settings[name] != null) { "$name is null" }
    val side = settings.string("truncation_side") ?: "right"
    require(side == "right" || side == "left") { "truncation_side is ${quoted(side, 60)}" }
    val inputs = settings.list("model_input_names") ?: INPUTS
    require("input_ids" in inputs && INPUTS.containsAll(inputs)) { "model_input_names is $inputs" }
    val added = settings.obj("added_tokens_decoder") ?: JsonObject(emptyMap())
    val ofToken = listOf("single_word", "lstrip", "rstrip")
        .find { name -> added.names.any { added.obj(it)?.boolean(name) == true } }
    return when {
        settings.boolean("do_basic_tokenize") == false -> "do_basic_tokenize false"
        !settings.list("never_split").isNullOrEmpty() -> "never_split"
        side == "left" -> "truncation_side \"left\""
        ofToken != null -> "an added token with $ofToken"
        else -> null
    }
}
