package tfsqueezebert

/**
 * A set of code points, as ascending ranges that may have values.
 *
 * @param values the number of values that each range has
 * @param packed numbers in base 36: for each range the distance of its first code point from the
 *   last one of the range before, the distance of its last from its first, and its values
 */
internal class CodePoints(values: Int, packed: String) {
    private val width = 2 + values
    private val numbers = packed.split(' ').map { it.toInt(36) }.toIntArray()

    init {
        var end = 0
        for (i in numbers.indices step width) {
            numbers[i] += end
            numbers[i + 1] += numbers[i]
            end = numbers[i + 1]
        }
    }

    operator fun contains(code: Int) = find(code) != null

    /** The range that holds a code point. */
    fun find(code: Int): Range? {
        var low = 0
        var high = numbers.size / width - 1
        while (low <= high) {
            val middle = (low + high) / 2
            when {
                code < numbers[width * middle] -> high = middle - 1
                code > numbers[width * middle + 1] -> low = middle + 1
                else -> return Range(width * middle)
            }
        }
        return null
    }

    inner class Range(private val at: Int) {
        val first get() = numbers[at]

        fun value(number: Int) = numbers[at + 2 + number]
    }
}
