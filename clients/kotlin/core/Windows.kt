package tfsqueezebert

private const val OVERLAP = 128

/** The number of tokens of the shortest row: two texts of one token each. */
internal const val LEAST_LENGTH = 5

/** The number of tokens that a window repeats from the one before. */
internal fun overlapOf(maxLength: Int) = minOf(OVERLAP, maxLength / 4)

/** Windows of `size` tokens that together hold all of a text's tokens. */
internal fun windows(tokens: List<Token>, size: Int, overlap: Int): List<List<Token>> {
    val last = maxOf(tokens.size - overlap, 1)
    return (0 until last step size - overlap).map { start ->
        tokens.subList(start, minOf(start + size, tokens.size))
    }
}
