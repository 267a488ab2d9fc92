package tfsqueezebert

import java.nio.ByteBuffer

private const val FILE_FORMAT = 1 // the newest form of a file that this client knows
internal val INPUTS = listOf("input_ids", "attention_mask", "token_type_ids")

/**
 * What a .tflite of this package says about itself: all but its weights.
 *
 * @param content the file, which may be mapped
 * @param name the file's name, for errors
 * @throws IllegalArgumentException it is not such a file, or is damaged
 */
internal class ModelFile(content: ByteBuffer, private val name: String) {
    private val files = readBundle(content, name)
    val config: Config
    val architecture: String

    /** The ways to call it; those for the shortest texts first. */
    val signatures: List<Signature>

    /** The number of tokens of the longest text that it takes. */
    val maxLength: Int
    val tokenizer: Tokenizer
    val task: Task

    init {
        val json = parsed("config.json") { it }
        val format = json["file_format"] ?: FILE_FORMAT
        require(format.toString() == FILE_FORMAT.toString()) {
            "'$name' has the file format $format, and this version of the package knows only " +
                "$FILE_FORMAT: install a newer one, or export the file again."
        }
        config = parsed("config.json", ::Config)
        val names = inPart("config.json") { json.list("architectures") }
        architecture = requireNotNull(names?.singleOrNull() as? String) {
            "The config.json in '$name' is damaged, or not from this package: it does not name " +
                "the class of its model. Export the file again."
        }
        signatures = readSignatures(content, name)
        require(signatures.isNotEmpty()) { foreign("has no signature") }
        signatures.forEach(::checkInputs)
        maxLength = signatures.last().length ?: config.maxPositions
        tokenizer = readTokenizer()
        task = requireNotNull(taskOf(architecture, Context(config, tokenizer, maxLength))) {
            foreign("holds a model of class ${quoted(architecture, 80)}")
        }
        signatures.forEach(::checkOutputs)
    }

    /** Reads the golden examples that the file carries. */
    fun readGolden(): Golden {
        require(GOLDEN in files) {
            "'$name' carries no golden examples, by which a file can test itself: export it " +
                "again, without golden=False."
        }
        return parsed(GOLDEN, ::Golden)
    }

    private fun readTokenizer(): Tokenizer {
        val settings = inPart("tokenizer") {
            parseJsonObject(files["tokenizer_config.json"]?.let(::textOf) ?: "{}")
        }
        val vocabulary = requireNotNull(files["vocab.txt"]) {
            if ("tokenizer.json" in files) {
                unsupported("tokenizer_class ${settings.string("tokenizer_class")}")
            } else {
                "The model came without a tokenizer: export it again with the tokenizer it was " +
                    "trained with."
            }
        }
        val setting = inPart("tokenizer") { unsupportedIn(settings) }
        require(setting == null) { unsupported(setting) }
        return inPart("tokenizer") { Tokenizer(textOf(vocabulary), settings) }
    }

    private fun unsupported(what: String?) =
        "The tokenizer in '$name' has $what, which this client does not support: predict in " +
            "Python, or use a tokenizer without it."

    private fun checkInputs(signature: Signature) {
        require(signature.inputs.toSet() == INPUTS.toSet()) {
            foreign("takes ${signature.inputs.sorted()}, not ${INPUTS.joinToString()}")
        }
        val length = signature.length ?: config.maxPositions
        require(length in LEAST_LENGTH..config.maxPositions && signature.batch != 0) {
            foreign("takes $length tokens, but its config says ${config.maxPositions}")
        }
    }

    private fun checkOutputs(signature: Signature) {
        for ((output, size) in signature.outputs) {
            require(output in task.outputs) {
                foreign("returns $output, which is not what a $architecture does")
            }
            val wanted = task.outputs[output] ?: size
            require(size == wanted) {
                foreign("returns $output of $size numbers, but its config says $wanted")
            }
        }
    }

    private fun foreign(what: String) =
        "'$name' was not exported by this package, or is damaged: export it again (it $what)."

    private fun <T> parsed(part: String, read: (JsonObject) -> T) =
        inPart(part) { read(parseJsonObject(textOf(files.getValue(part)))) }

    /** Makes errors name a part of the file, and say what is wrong with it. */
    fun <T> inPart(
        part: String,
        fault: String = "is damaged, or not from this package",
        read: () -> T,
    ): T = try {
        read()
    } catch (error: IllegalArgumentException) {
        val reason = error.message?.removeSuffix(".")
        throw IllegalArgumentException(
            "The $part in '$name' $fault: export the file again ($reason).",
            error,
        )
    }
}
