package tfsqueezebert

import java.io.File

/** Prints the result of each file's self test, or the error in which it ends. */
fun main(arguments: Array<String>) {
    for (path in arguments) {
        val fields = Model.load(File(path), findLibrary()).use { model ->
            try {
                fieldsOf(model.selfTest(rounds = 2))
            } catch (error: IllegalArgumentException) {
                mapOf("refused" to error.message)
            }
        }
        println(toJson(fields))
    }
}

private fun fieldsOf(result: SelfTest) = mapOf(
    "right" to result.right,
    "error" to result.error,
    "tolerance" to result.tolerance,
    "tokens" to result.tokens,
    "milliseconds" to result.milliseconds,
    "text" to result.toString(),
)
