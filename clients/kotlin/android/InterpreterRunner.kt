package tfsqueezebert

import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter

/** Runs a file by LiteRT's Interpreter, on the processor. */
internal class InterpreterRunner(private val interpreter: Interpreter) : Runner {
    override fun run(
        signature: Signature,
        inputs: Map<String, IntArray>,
        batch: Int,
        length: Int,
    ): Map<String, FloatArray> {
        // The interpreter takes the shape of its inputs from arrays, not from buffers.
        val arrays = inputs.mapValues { (_, values) ->
            Array(batch) { values.copyOfRange(it * length, (it + 1) * length) }
        }
        interpreter.runSignature(arrays, emptyMap(), signature.key)
        return signature.outputs.keys.associateWith { output(it, signature.key) }
    }

    private fun output(name: String, key: String): FloatArray {
        val tensor = interpreter.getOutputTensorFromSignature(name, key)
        val values = tensor.asReadOnlyBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer()
        return FloatArray(values.remaining()).also { values.get(it) }
    }

    override fun close() = interpreter.close()
}
