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

    /** Calls the file; `length` is null for that of the signature. */
    fun run(
        key: String,
        inputs: Map<String, IntArray>,
        batch: Int,
        length: Int?,
    ): Map<String, FloatArray> {
        val signature = signatures.getValue(key)
        check(signature.length == null || length == null || signature.length == length)
        return runner.run(signature, inputs, batch, length ?: signature.length!!)
    }

    override fun close() = runner.close()
}
