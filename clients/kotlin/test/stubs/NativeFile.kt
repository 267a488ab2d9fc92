package tfsqueezebert

import java.nio.ByteBuffer

/** A file that LiteRT's native library runs, for the stubs here. */
internal class NativeFile(content: ByteBuffer) : AutoCloseable {
    private val signatures = readSignatures(content, "a .tflite").associateBy { it.key }
    private val runner: Runner

    init {
        loadLibrary(findLibrary())
        runner = NativeRunner(content)
    }

    val keys get() = signatures.keys

    /** Calls the file; its signature gives the sizes that are null. */
    fun run(
        key: String,
        inputs: Map<String, IntArray>,
        batch: Int? = null,
        length: Int? = null,
    ): Map<String, FloatArray> {
        val signature = signatures.getValue(key)
        val size = batch ?: signature.batch!!
        return runner.run(signature, inputs, size, length ?: signature.length!!)
    }

    override fun close() = runner.close()
}
