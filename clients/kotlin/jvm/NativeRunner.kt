package tfsqueezebert

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.nio.ByteBuffer

private const val VARIABLE = "LITERT_LIBRARY"

// Prints the folder of LiteRT's Python package.
private const val FIND =
    "import importlib.util as i; print(*i.find_spec('ai_edge_litert').submodule_search_locations)"

/**
 * Opens a file on the JVM, by LiteRT's native library.
 *
 * @param library the path of libLiteRt.so; by default what LITERT_LIBRARY names, or that of
 *   Python's ai-edge-litert
 * @throws FileNotFoundException there is no such file
 * @throws IllegalArgumentException it is not a file of this package, or is damaged
 */
fun Model.Companion.load(file: File, library: File? = null): Model {
    val content = map(file)
    return open(content, file.path) {
        loadLibrary(library ?: findLibrary())
        openedByLiteRt(file.path) { NativeRunner(content) }
    }
}

internal fun loadLibrary(library: File) = try {
    LiteRt.load(library.path)
} catch (error: IllegalArgumentException) {
    throw IllegalArgumentException(
        "'$library' is not LiteRT's library: put the path of libLiteRt.so into $VARIABLE " +
            "(${error.message}).",
        error,
    )
}

/** LiteRT's library: the one that is named, or that of its Python package. */
internal fun findLibrary(): File {
    val named = System.getenv(VARIABLE)
    val library = if (named == null) File(pythonPackage(), "libLiteRt.so") else File(named)
    if (library.isFile) return library
    throw FileNotFoundException(
        if (named != null) {
            "There is no file '$named', which $VARIABLE names: check the path."
        } else {
            "There is no LiteRT: type 'pip install ai-edge-litert', or put the path of " +
                "libLiteRt.so into $VARIABLE."
        },
    )
}

/** The folder of LiteRT's Python package; "" if there is none. */
private fun pythonPackage(): String = try {
    val python = ProcessBuilder("python3", "-c", FIND).start()
    python.inputStream.bufferedReader().readText().trim()
} catch (error: IOException) { // there is no Python
    ""
}

/**
 * Runs a file by LiteRT's library, which must be loaded.
 *
 * @param content the file: a property, since LiteRT uses it where it is
 */
internal class NativeRunner(private val content: ByteBuffer) : Runner {
    private val file = LiteRt.open(content)

    override fun run(
        signature: Signature,
        inputs: Map<String, IntArray>,
        batch: Int,
        length: Int,
    ): Map<String, FloatArray> {
        val given = LiteRt.inputNames(file, signature.index, inputs.size)
        val names = LiteRt.outputNames(file, signature.index, signature.outputs.size)
        val values = given.map(inputs::getValue).toTypedArray()
        val isFree = signature.batch == null || signature.length == null
        val outputs = LiteRt.run(file, signature.index, values, batch, length, isFree, names.size)
        return names.zip(outputs).toMap()
    }

    override fun close() = LiteRt.close(file)
}
