package tfsqueezebert

import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import java.io.File
import kotlin.math.abs

/**
 * Compares the client with the corpus in clients/conformance, and prints for each of its files the
 * number of cases that were compared and that differ, and the first differences. The runners for
 * Android run on the stubs beside this.
 *
 * Arguments: the folder of the corpus, and a folder like it with files of fixed lengths.
 */
fun main(arguments: Array<String>) {
    val (corpus, fixed) = arguments.map { Corpus(File(it)) }
    val gpu = CompiledModel.Options(Accelerator.GPU)
    val found = mapOf(
        "tokens" to corpus.tokens(),
        "codepoints" to corpus.codePoints(),
        "answers" to corpus.answers(),
        "models" to corpus.models { Model.load(it, findLibrary()) },
        "interpreter" to corpus.models { Model.load(AssetManager(it.parentFile), it.name) },
        "fixed" to fixed.models { Model.load(it, findLibrary()) },
        "compiled" to fixed.models { Model.load(AssetManager(it.parentFile), it.name, gpu) },
    )
    println(toJson(found.mapValues { (_, cases) -> compare(cases) }))
}

private class Case(val line: Any?, val got: Any?, val wanted: Any?, val tolerance: Double = 0.0)

private fun compare(cases: Sequence<Case>): Map<String, Any?> {
    var compared = 0
    val different = ArrayList<Any?>()
    for (case in cases) {
        compared++
        if (!isSame(case.got, case.wanted, case.tolerance)) {
            different.add(mapOf("line" to case.line, "got" to case.got, "wanted" to case.wanted))
        }
    }
    return mapOf(
        "compared" to compared, "different" to different.size, "first" to different.take(3),
    )
}

private fun isSame(got: Any?, wanted: Any?, tolerance: Double): Boolean = when (wanted) {
    is JsonObject -> got is Map<*, *> && got.keys == wanted.names &&
        wanted.names.all { isSame(got[it], wanted[it], tolerance) }
    is List<*> -> got is List<*> && got.size == wanted.size &&
        wanted.indices.all { isSame(got[it], wanted[it], tolerance) }
    is Number -> got is Number && isNear(got.toDouble(), wanted.toDouble(), tolerance)
    else -> got == wanted
}

private fun isNear(got: Double, wanted: Double, tolerance: Double) =
    abs(got - wanted) <= maxOf(tolerance / 10, tolerance * abs(wanted))

private class Corpus(private val folder: File) {
    private val tokenizers = HashMap<String, Tokenizer>()

    private fun lines(name: String) =
        File(folder, name).readLines().asSequence().map(::parseJsonObject)

    private fun tokenizer(name: String) = tokenizers.getOrPut(name) {
        val own = File(folder, "tokenizers/$name")
        val settings = parseJsonObject(File(own, "tokenizer_config.json").readText())
        check(unsupportedIn(settings) == null)
        Tokenizer(File(own, "vocab.txt").readText(), settings)
    }

    fun tokens() = lines("tokens.jsonl").map { line ->
        val got = rows(line).map(::written)
        Case(line["text"], got, line.list("rows")!!.map { wanted(it as JsonObject) })
    }

    private fun rows(line: JsonObject): List<Row> {
        val tokenizer = tokenizer(line.string("tokenizer")!!)
        val text = tokenizer.encode(line.string("text")!!)
        val pair = line.string("pair")?.let(tokenizer::encode)
        val most = line.int("max_length") ?: 512
        val stride = line.int("stride") ?: return listOf(tokenizer.truncated(most, text, pair))
        if (pair == null) return windows(text, most - 2, stride).map { tokenizer.row(it, null) }
        return windows(pair, most - 3 - text.size, stride).map { tokenizer.row(text, it) }
    }

    fun codePoints() = lines("codepoints.jsonl").flatMap { line ->
        val tokenizer = tokenizer(line.string("tokenizer")!!)
        (line.int("first")!!..line.int("last")!!).asSequence().map { code ->
            val text = "a${String(Character.toChars(code))}b"
            val got = written(tokenizer.truncated(512, tokenizer.encode(text), null))
            Case(code, got, wanted(line.obj("row")!!))
        }
    }

    fun answers() = lines("answers.jsonl").map { line ->
        val texts = texts(line)
        val outputs = line.list("outputs")!!.map { it as JsonObject }
        val answer = task(line, outputs[0]).answer(texts, options(line)) { rows ->
            check(rows.size == outputs.size)
            outputs.map { it.names.associateWith { name -> flat(it[name]).toFloatArray() } }
        }
        Case(line, answer.toMap(codePointsOf(texts.last())), line.obj("answer"), 1e-5)
    }

    /** The task of a line, and a config that fits its outputs. */
    private fun task(line: JsonObject, outputs: JsonObject): Task {
        val tokenizer = tokenizer(line.string("tokenizer")!!)
        val most = line.int("max_length")!!
        val size = outputs.names.maxOf { name -> axisOf(outputs.list(name)!!) }
        val config = mapOf(
            "id2label" to (line["id2label"] ?: JsonObject(emptyMap())),
            "problem_type" to line["problem_type"],
            "max_position_embeddings" to most.toLong(),
            "vocab_size" to size,
            "hidden_size" to size,
            "type_vocab_size" to 2L,
        )
        val context = Context(Config(JsonObject(config)), tokenizer, most)
        return taskOf(ARCHITECTURES.getValue(line.string("task")!!), context)!!
    }

    fun models(load: (File) -> Model) =
        lines("models.jsonl").groupBy { it.string("model")!! }.asSequence()
            .flatMap { (name, lines) ->
                load(File(folder, "models/$name")).use { model ->
                    lines.map { line -> modelCase(model, line) }
                }
            }

    private fun modelCase(model: Model, line: JsonObject): Case {
        val texts = texts(line)
        val answer = model.predict(texts, options(line))
        val got = answer.toMap(codePointsOf(texts.last()))
        return Case(line, got, line.obj("answer"), line.number("tolerance"))
    }
}

private val ARCHITECTURES = mapOf(
    "feature-extraction" to "SqueezeBertModel",
    "fill-mask" to "SqueezeBertForMaskedLM",
    "multiple-choice" to "SqueezeBertForMultipleChoice",
    "question-answering" to "SqueezeBertForQuestionAnswering",
    "text-classification" to "SqueezeBertForSequenceClassification",
    "token-classification" to "SqueezeBertForTokenClassification",
)

private fun texts(line: JsonObject): List<String> {
    val others = line.list("choices") ?: listOfNotNull(line["pair"])
    return (listOf(line["text"]) + others).map { it as String }
}

private fun options(line: JsonObject): Options {
    val given = line.obj("options") ?: JsonObject(emptyMap())
    return Options(given.int("top_k"), given.boolean("handle_impossible_answer"))
}

/** The numbers of lists in lists. */
private fun flat(value: Any?): List<Float> =
    if (value is List<*>) value.flatMap(::flat) else listOf((value as Number).toFloat())

/** The size of the last axis of lists in lists. */
private fun axisOf(value: List<*>): Long =
    (value.first() as? List<*>)?.let(::axisOf) ?: value.size.toLong()

/** A row as the corpus writes it. */
private fun written(row: Row) = mapOf(
    "input_ids" to row.ids.toList(),
    "token_type_ids" to row.types.toList(),
    "word_ids" to row.tokens.map { it.word },
    "offsets" to row.tokens.flatMap { listOf(it.start, it.end) },
)

/** What the corpus expects of a row, in UTF-16. */
private fun wanted(row: JsonObject): JsonObject {
    val ids = row.ints("input_ids")!!
    return JsonObject(
        mapOf(
            "input_ids" to ids.toList(),
            "token_type_ids" to (row.ints("token_type_ids") ?: IntArray(ids.size)).toList(),
            "word_ids" to row["word_ids"],
            "offsets" to (row["offsets_utf16"] ?: row["offsets"]),
        ),
    )
}
