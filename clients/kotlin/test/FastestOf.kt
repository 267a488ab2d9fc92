package tfsqueezebert

import java.io.File

/** Prints which of some files is the fastest that is right, and which models stay open. */
fun main(paths: Array<String>) {
    val models = mutableMapOf<String, Model>()
    val ways = paths.map { path ->
        { Model.load(File(path), findLibrary()).also { models[path] = it } }
    }
    val fields = try {
        val (model, result) = fastest(*ways.toTypedArray(), rounds = 2)
        mapOf(
            "fastest" to models.entries.first { it.value === model }.key,
            "open" to models.filterValues { it.isOpen }.keys.toList(),
            "right" to result.right,
        )
    } catch (error: IllegalArgumentException) {
        mapOf("refused" to error.message)
    }
    println(toJson(fields))
}

private val Model.isOpen get() = runCatching { predict("A film.") }.isSuccess
