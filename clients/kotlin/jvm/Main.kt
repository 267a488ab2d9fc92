package tfsqueezebert

import java.io.File
import java.io.IOException
import kotlin.system.exitProcess

private const val USAGE = "predict FILE [--tokens] < TEXTS"

/**
 * Answers texts on the command line. Each line of the standard input is a JSON object,
 * `{"text": ..., "pair": ..., "choices": [...], "options": {...}}`, all but the first as far as the
 * task needs them; `pair` is the second text, or the context of a question. For each line the
 * answer is written as a line of JSON, which equals that of Python's `predict`: places in a text
 * count code points. With --tokens, input_ids and offsets are written instead.
 */
fun main(arguments: Array<String>) {
    try {
        val files = arguments.filter { it != "--tokens" }
        require(files.size == 1 && !files[0].startsWith("-")) { "Pass one file: type '$USAGE'." }
        val file = File(files[0])
        if ("--tokens" in arguments) {
            val tokens = ModelFile(map(file), file.path)
            answerLines { tokensOf(tokens, it.texts) }
        } else {
            Model.load(file).use { model -> answerLines { answerOf(model, it) } }
        }
    } catch (error: IllegalArgumentException) {
        fail(error)
    } catch (error: IOException) {
        fail(error)
    }
}

private fun fail(error: Exception): Nothing {
    System.err.println(error.message)
    exitProcess(2)
}

private class Line(val texts: List<String>, val options: Options)

private fun answerLines(answer: (Line) -> Map<String, Any?>) {
    val output = System.out.bufferedWriter()
    try {
        System.`in`.bufferedReader().lineSequence().forEachIndexed { i, line ->
            output.append(toJson(answer(parsed(line, i + 1)))).append('\n')
        }
    } finally {
        output.flush()
    }
}

private fun parsed(line: String, number: Int): Line {
    val json = try {
        parseJsonObject(line).also { it.list("choices") }
    } catch (error: IllegalArgumentException) {
        JsonObject(emptyMap())
    }
    require("text" in json) {
        "Line $number is not a JSON object with a \"text\": write one for each text."
    }
    val texts = listOf("text", "pair").filter { it in json }.map { json[it] }
    return Line((texts + json.list("choices").orEmpty()).map(::checkedText), options(json, number))
}

private fun checkedText(value: Any?): String {
    require(value is String) { "${toJson(value)} is not a text: pass a string." }
    return value
}

private fun options(json: JsonObject, number: Int): Options = try {
    val options = json.obj("options") ?: JsonObject(emptyMap())
    val unknown = options.names - setOf("top_k", "handle_impossible_answer")
    require(unknown.isEmpty()) { "there is no ${unknown.joinToString()}" }
    Options(options.int("top_k"), options.boolean("handle_impossible_answer"))
} catch (error: IllegalArgumentException) {
    val message = "The options of line $number are wrong: ${error.message}."
    throw IllegalArgumentException(message, error)
}

private fun tokensOf(file: ModelFile, texts: List<String>): Map<String, Any?> {
    require(texts.size <= 2) { "--tokens takes one text, or a pair." }
    val places = texts.map(::codePointsOf)
    val encoded = texts.map(file.tokenizer::encode)
    val row = file.tokenizer.truncated(file.maxLength, encoded[0], encoded.getOrNull(1))
    val offsets = row.tokens.map { token ->
        val place = places[if (token.isSecond) 1 else 0]
        listOf(place[token.start], place[token.end])
    }
    return mapOf("input_ids" to row.ids.toList(), "offsets" to offsets)
}

private fun answerOf(model: Model, line: Line): Map<String, Any?> {
    val answer = model.predict(line.texts, line.options)
    // Places are in the only text, or in the context of a question.
    return answer.toMap(codePointsOf(line.texts.last()))
}

/** For each place in a text, the number of code points before it. */
internal fun codePointsOf(text: String): IntArray {
    val numbers = IntArray(text.length + 1)
    for (i in text.indices) numbers[i + 1] = numbers[i] + if (text[i].isLowSurrogate()) 0 else 1
    return numbers
}
