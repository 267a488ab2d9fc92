package tfsqueezebert

import java.io.File
import java.io.IOException
import kotlin.system.exitProcess

private const val USAGE = "predict FILE [--tokens] < TEXTS"

/**
 * Answers texts on the command line. Each line of the standard input is a JSON object,
 * `{"text": ..., "pair": ..., "options": {...}}`, of which `pair` is the second text, the context of
 * a question, or a list of choices. An answer is written for each as a line of JSON, which equals
 * that of Python's `predict`. With --tokens, input_ids and offsets are written instead. All places
 * in texts count code points, as in Python.
 */
fun main(arguments: Array<String>) {
    try {
        val files = arguments.filter { it != "--tokens" }
        require(files.size == 1 && !files[0].startsWith("-")) { "Pass one file: type '$USAGE'." }
        val file = File(files[0])
        if ("--tokens" in arguments) {
            val tokens = ModelFile(map(file), file.path)
            answerLines { tokensOf(tokens, it) }
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
    System.err.println("predict: error: ${error.message}")
    exitProcess(2)
}

private class Line(val texts: List<String>, val options: JsonObject)

private fun answerLines(answer: (Line) -> Map<String, Any?>) {
    val output = System.out.bufferedWriter()
    try {
        System.`in`.bufferedReader().lineSequence().forEachIndexed { i, line ->
            if (line.isNotBlank()) output.append(toJson(answer(parsed(line, i + 1)))).append('\n')
        }
    } finally {
        output.flush()
    }
}

private fun parsed(line: String, number: Int): Line {
    val json = try {
        parseJsonObject(line)
    } catch (error: IllegalArgumentException) {
        JsonObject(emptyMap())
    }
    require("text" in json) {
        "Line $number is not a JSON object with a \"text\": write one for each text."
    }
    val others = json["pair"].let { it as? List<*> ?: listOfNotNull(it) }
    val texts = (listOf(json["text"]) + others).map {
        require(it is String) { "${toJson(it)} is not a text: pass a string." }
        it
    }
    return Line(texts, json.obj("options") ?: JsonObject(emptyMap()))
}

private fun tokensOf(file: ModelFile, line: Line): Map<String, Any?> {
    require(line.texts.size <= 2) { "--tokens takes one text, or a pair." }
    val places = line.texts.map(::codePointsOf)
    val encoded = line.texts.map(file.tokenizer::encode)
    val row = file.tokenizer.truncated(file.maxLength, encoded[0], encoded.getOrNull(1))
    val offsets = row.tokens.map { token ->
        val place = places[if (token.isSecond) 1 else 0]
        listOf(place[token.start], place[token.end])
    }
    return mapOf("input_ids" to row.ids.toList(), "offsets" to offsets)
}

private fun answerOf(model: Model, line: Line): Map<String, Any?> {
    val known = listOf("top_k", "handle_impossible_answer")
    for (name in line.options.names) {
        require(name in known) { "There is no option $name: choose one of ${known.joinToString()}." }
    }
    val answer = model.predict(
        line.texts[0],
        *line.texts.drop(1).toTypedArray(),
        topK = line.options.int("top_k"),
        handleImpossibleAnswer = line.options.boolean("handle_impossible_answer"),
    )
    // Places are in the last text: the only one, or the context of a question.
    return answer.toMap(codePointsOf(line.texts.last()))
}

/** For each place in a text, the number of code points before it. */
internal fun codePointsOf(text: String): IntArray {
    val numbers = IntArray(text.length + 1)
    for (i in text.indices) numbers[i + 1] = numbers[i] + if (text[i].isLowSurrogate()) 0 else 1
    return numbers
}
