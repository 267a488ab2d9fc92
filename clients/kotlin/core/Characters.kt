package tfsqueezebert

import java.text.Normalizer

private const val SPACE = ' '.code
private const val CAPITAL_I_WITH_DOT = 0x130
private const val DOT_ABOVE = 0x307

/**
 * Code points of a text, or of what became of it. Each knows the place in the text that it came
 * from: its start and end in UTF-16 units.
 */
internal class Characters(capacity: Int) {
    var size = 0
        private set
    private var codes = IntArray(capacity)
    private var starts = IntArray(capacity)
    private var ends = IntArray(capacity)

    fun code(i: Int) = codes[i]

    fun start(i: Int) = starts[i]

    fun end(i: Int) = ends[i]

    fun add(code: Int, start: Int, end: Int) {
        if (size == codes.size) {
            val capacity = 2 * size + 16
            codes = codes.copyOf(capacity)
            starts = starts.copyOf(capacity)
            ends = ends.copyOf(capacity)
        }
        codes[size] = code
        starts[size] = start
        ends[size] = end
        size++
    }

    /** Adds a code point that takes the place of another text's character. */
    fun add(code: Int, source: Characters, i: Int) = add(code, source.starts[i], source.ends[i])

    fun slice(from: Int, to: Int): Characters {
        val part = Characters(to - from)
        for (i in from until to) part.add(codes[i], this, i)
        return part
    }

    fun string(from: Int, to: Int) = String(codes, from, to - from)

    /** Whether another text stands at a place. */
    fun holds(other: Characters, at: Int): Boolean =
        at + other.size <= size && (0 until other.size).all { codes[at + it] == other.codes[it] }
}

internal fun charactersOf(text: String): Characters {
    val characters = Characters(text.length)
    var start = 0
    while (start < text.length) {
        val code = text.codePointAt(start)
        val end = start + Character.charCount(code)
        characters.add(code, start, end)
        start = end
    }
    return characters
}

/** Removes control characters, and makes all white space spaces. */
internal fun cleaned(text: Characters) = text.replaced { i, code ->
    if (code in WHITESPACE) add(SPACE, text, i) else if (code !in REMOVED) add(code, text, i)
}

/** Puts spaces around Chinese ideographs. */
internal fun separated(text: Characters) = text.replaced { i, code ->
    val isIdeograph = code in CHINESE
    if (isIdeograph) add(SPACE, text, i)
    add(code, text, i)
    if (isIdeograph) add(SPACE, text, i)
}

/** Characters in lower case: one by one, so that a sigma has no other form at a word's end. */
internal fun lowerCased(text: Characters) = text.replaced { i, code ->
    if (code == CAPITAL_I_WITH_DOT) {
        add('i'.code, text, i)
        add(DOT_ABOVE, text, i)
    } else {
        add(lowerCaseOf(code), text, i)
    }
}

private fun lowerCaseOf(code: Int): Int {
    val range = LOWERCASE.find(code) ?: return code
    val isUpper = (code - range.first) % range.value(0) == 0
    return if (isUpper) code + range.value(1) else code
}

/** Decomposes characters (NFD) and removes the combining marks. */
internal fun withoutAccents(text: Characters): Characters {
    val parts = ArrayList<Part>(text.size)
    for (i in 0 until text.size) decompose(text.code(i), parts)
    sortMarks(parts)
    val found = Characters(parts.size)
    var source = -1
    for (part in parts) {
        // As in the library, parts take their places in the text after marks were sorted.
        if (part.isFirst) source++
        if (part.code !in STRIPPED) found.add(part.code, text, source)
    }
    return found
}

/** A code point of a decomposed character; `order` is its combining class. */
private class Part(val code: Int, val isFirst: Boolean) {
    val order = COMBINING.find(code)?.value(0) ?: 0
}

private fun decompose(code: Int, parts: MutableList<Part>) {
    if (code !in DECOMPOSED) {
        parts.add(Part(code, true))
        return
    }
    val text = Normalizer.normalize(String(Character.toChars(code)), Normalizer.Form.NFD)
    var at = 0
    while (at < text.length) {
        val part = text.codePointAt(at)
        parts.add(Part(part, at == 0))
        at += Character.charCount(part)
    }
}

/** Sorts each run of marks by their combining class. */
private fun sortMarks(parts: MutableList<Part>) {
    var start = 0
    while (start < parts.size) {
        var end = start
        while (end < parts.size && parts[end].order > 0) end++
        if (end - start > 1) parts.subList(start, end).sortBy { it.order }
        start = end + 1
    }
}

private inline fun Characters.replaced(add: Characters.(Int, Int) -> Unit): Characters {
    val found = Characters(size)
    for (i in 0 until size) found.add(i, code(i))
    return found
}
