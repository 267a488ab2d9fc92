// What android/ calls of LiteRT's Interpreter, as declared in LiteRT 2.2.0 (litert/kotlin/src/
// copied_from_tflite/java/org/tensorflow/lite and tflite/java/src/main/java/org/tensorflow/lite).
// It runs files by LiteRT's native library.

package org.tensorflow.lite

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.MappedByteBuffer
import tfsqueezebert.NativeFile

class Interpreter(byteBuffer: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        internal var numThreads = 0

        fun setNumThreads(numThreads: Int) = apply { this.numThreads = numThreads }
    }

    private val file: NativeFile
    private var outputs = emptyMap<String, FloatArray>()

    init {
        require(byteBuffer is MappedByteBuffer && options.numThreads > 0)
        file = NativeFile(byteBuffer)
    }

    fun runSignature(inputs: Map<String, Any>, outputs: Map<String, Any>, signatureKey: String) {
        require(outputs.isEmpty())
        val arrays = inputs.mapValues { (_, input) ->
            (input as Array<*>).map { it as IntArray }
        }
        val rows = arrays.values.first()
        val flat = arrays.mapValues { (_, input) -> input.flatMap { it.toList() }.toIntArray() }
        this.outputs = file.run(signatureKey, flat, rows.size, rows[0].size)
    }

    fun getOutputTensorFromSignature(outputName: String, signatureKey: String): Tensor {
        require(signatureKey in file.keys)
        return Tensor(outputs.getValue(outputName))
    }

    override fun close() = file.close()
}

class Tensor internal constructor(private val values: FloatArray) {
    fun asReadOnlyBuffer(): ByteBuffer {
        val buffer = ByteBuffer.allocateDirect(4 * values.size).order(ByteOrder.nativeOrder())
        buffer.asFloatBuffer().put(values)
        return buffer.asReadOnlyBuffer()
    }
}
