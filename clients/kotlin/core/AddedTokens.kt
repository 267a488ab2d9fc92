package tfsqueezebert

/**
 * Finds tokens that are never split, such as [MASK].
 *
 * @param ids their ids by their characters
 */
internal class AddedTokens(ids: Map<Characters, Int>) {
    private val byFirst = ids.entries
        .filter { (content) -> content.size > 0 }
        .sortedByDescending { (content) -> content.size }
        .groupBy { (content) -> content.code(0) }

    /**
     * Calls `add` with each added token and its id, and with the parts between them and null.
     * Where several tokens begin, the longest counts.
     */
    inline fun split(text: Characters, add: (part: Characters, id: Int?) -> Unit) {
        var begin = 0
        var at = 0
        while (at < text.size) {
            val found = tokenAt(text, at)
            if (found == null) {
                at++
                continue
            }
            val (content, id) = found
            if (begin < at) add(text.slice(begin, at), null)
            begin = at + content.size
            add(text.slice(at, begin), id)
            at = begin
        }
        if (begin < text.size) add(text.slice(begin, text.size), null)
    }

    fun tokenAt(text: Characters, start: Int) =
        byFirst[text.code(start)]?.find { (content) -> text.holds(content, start) }
}
