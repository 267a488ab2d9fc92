package tfsqueezebert

/**
 * A token of a text.
 *
 * @property start where it starts in its text: `text.substring(start, end)`; 0 for a special token
 *   around the texts
 * @property end where it ends
 * @property word the number of its word in its text; null for a special token around the texts
 * @property isSecond whether it is of the second text
 */
data class Token(
    val id: Int,
    val start: Int = 0,
    val end: Int = 0,
    val word: Int? = null,
    val isSecond: Boolean = false,
)

/**
 * The tokens of a text, or of a pair, for one call of the model.
 *
 * @property tokens all tokens, [CLS] and [SEP] included
 * @property types 0 for the tokens of the first text, 1 for those of the second
 * @property isTruncated whether some tokens did not fit and were left out
 */
class Row internal constructor(
    val tokens: List<Token>,
    val types: IntArray,
    val isTruncated: Boolean = false,
) {
    val ids get() = IntArray(tokens.size) { tokens[it].id }
}
