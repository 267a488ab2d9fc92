package tfsqueezebert

// Errors are IllegalArgumentExceptions of one sentence, the same as Python's where it has one.

private const val MOST_CHARACTERS = 500_000 // of a text that is read in windows

/** Refuses what is not a text: half of a surrogate pair, which a broken decoder leaves behind. */
internal fun checkText(text: String) {
    var at = 0
    while (at < text.length) {
        val code = text.codePointAt(at)
        require(code !in 0xD800..0xDFFF) {
            "The text holds half of a surrogate pair, which is not text: decode its bytes again."
        }
        at += Character.charCount(code)
    }
}

/** Refuses a text that is too long to be read in windows. */
internal fun checkWindowed(name: String, text: String) {
    val count = text.codePointCount(0, text.length)
    require(count <= MOST_CHARACTERS) {
        "$name of ${grouped(count)} characters is too long to be read in windows: split it into " +
            "texts of at most ${grouped(MOST_CHARACTERS)} characters."
    }
}

private fun grouped(count: Int) =
    count.toString().reversed().chunked(3).joinToString(",").reversed()

/** The first code points of a text in quotes, as Python writes them. */
internal fun quoted(text: String, most: Int): String {
    val isLong = text.codePointCount(0, text.length) > most
    val start = if (isLong) text.substring(0, text.offsetByCodePoints(0, most)) else text
    val quote = if ('\'' in start && '"' !in start) '"' else '\''
    return start.map { escaped(it, quote) }.joinToString("", quote.toString(), quote.toString())
}

private fun escaped(character: Char, quote: Char): String = when (character) {
    '\n' -> "\\n"
    '\r' -> "\\r"
    '\t' -> "\\t"
    '\\', quote -> "\\$character"
    in '\u0000'..'\u001f', in '\u007f'..'\u00a0', '\u00ad' -> "\\x%02x".format(character.code)
    else -> character.toString()
}
