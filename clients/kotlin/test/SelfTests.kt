package tfsqueezebert

import java.io.File

/** Prints the result of each file's self test. */
fun main(arguments: Array<String>) {
    for (path in arguments) {
        val result = Model.load(File(path), findLibrary()).use { it.selfTest(rounds = 2) }
        val fields = mapOf(
            "right" to result.right,
            "error" to result.error,
            "tolerance" to result.tolerance,
            "tokens" to result.tokens,
            "milliseconds" to result.milliseconds,
            "text" to result.toString(),
        )
        println(toJson(fields))
    }
}
