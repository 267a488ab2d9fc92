package tfsqueezebert

private const val MOST_DEPTH = 100

/** An object of a JSON text. A field of another type than the one asked for is refused. */
internal class JsonObject(private val fields: Map<String, Any?>) {
    val names get() = fields.keys

    operator fun get(name: String) = fields[name]

    operator fun contains(name: String) = name in fields

    /** The field's value; null if it is missing or null. */
    fun string(name: String) = typed<String>(name, "a text")

    fun boolean(name: String) = typed<Boolean>(name, "true or false")

    fun list(name: String) = typed<List<*>>(name, "a list")

    fun obj(name: String) = typed<JsonObject>(name, "an object")

    fun int(name: String) = fields[name]?.let { wholeNumber(name, it) }

    fun number(name: String): Double {
        val value = requireNotNull(typed<Number>(name, "a number")) { "$name is missing" }
        return value.toDouble()
    }

    /** A field's list of whole numbers. */
    fun ints(name: String) = list(name)?.map { wholeNumber(name, it) }?.toIntArray()

    private fun wholeNumber(name: String, value: Any?): Int {
        require(value is Long && value in Int.MIN_VALUE..Int.MAX_VALUE) {
            "$name is not a whole number"
        }
        return value.toInt()
    }

    private inline fun <reified T> typed(name: String, kind: String): T? {
        val value = fields[name] ?: return null
        require(value is T) { "$name is not $kind" }
        return value
    }
}

/**
 * Reads a JSON text: objects as [JsonObject], lists, texts, Long for whole numbers and Double for
 * others, true, false and null.
 *
 * @throws IllegalArgumentException it is not JSON; the message is not a whole sentence
 */
internal fun parseJson(text: String): Any? = JsonParser(text).parse()

/** As [parseJson], of a text that must hold an object. */
internal fun parseJsonObject(text: String): JsonObject {
    val value = parseJson(text)
    require(value is JsonObject) { "it is not a JSON object" }
    return value
}

private class JsonParser(private val text: String) {
    private var at = 0
    private var depth = 0

    fun parse(): Any? {
        val value = value()
        skipSpace()
        if (at < text.length) fail()
        return value
    }

    private fun value(): Any? {
        skipSpace()
        return when (peek()) {
            '{' -> nested { JsonObject(fields()) }
            '[' -> nested { elements() }
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private inline fun <T> nested(read: () -> T): T {
        require(++depth <= MOST_DEPTH) { "it is nested too deeply" }
        at++
        return read().also { depth-- }
    }

    private fun fields(): Map<String, Any?> {
        val fields = LinkedHashMap<String, Any?>()
        untilClosed('}') {
            skipSpace()
            val name = string()
            skipSpace()
            expect(':')
            fields[name] = value()
        }
        return fields
    }

    private fun elements(): List<Any?> {
        val elements = ArrayList<Any?>()
        untilClosed(']') { elements.add(value()) }
        return elements
    }

    /** Reads elements with commas between them, up to the bracket that closes them. */
    private inline fun untilClosed(bracket: Char, read: () -> Unit) {
        skipSpace()
        if (peek() != bracket) {
            while (true) {
                read()
                skipSpace()
                if (peek() != ',') break
                at++
            }
        }
        expect(bracket)
    }

    private fun string(): String {
        expect('"')
        val found = StringBuilder()
        while (true) {
            val start = at
            while (at < text.length && text[at] >= ' ' && text[at] != '"' && text[at] != '\\') at++
            found.append(text, start, at)
            if (peek() == '"') break
            expect('\\')
            found.append(escaped())
        }
        at++
        return found.toString()
    }

    private fun escaped(): Char {
        val escape = peek() ?: fail()
        at++
        if (escape != 'u') {
            val i = "\"\\/bfnrt".indexOf(escape)
            return if (i < 0) fail() else "\"\\/\b\u000c\n\r\t"[i]
        }
        val digits = text.substring(at, minOf(at + 4, text.length))
        if (digits.length < 4 || !digits.all { it in "0123456789abcdefABCDEF" }) fail()
        at += 4
        return digits.toInt(16).toChar()
    }

    private fun number(): Number {
        val found = NUMBER.matchAt(text, at) ?: fail()
        at = found.range.last + 1
        return found.value.toLongOrNull() ?: found.value.toDouble()
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail()
        at += word.length
        return value
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at++
    }

    private fun peek() = text.getOrNull(at)

    private fun expect(character: Char) {
        if (peek() != character) fail()
        at++
    }

    private fun fail(): Nothing {
        throw IllegalArgumentException("it is not JSON at character $at")
    }

    private companion object {
        val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")
    }
}
