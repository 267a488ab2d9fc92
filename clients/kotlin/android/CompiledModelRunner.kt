package tfsqueezebert

import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer

/** Runs a file of fixed lengths by LiteRT's CompiledModel, on a GPU, an NPU or the processor. */
internal class CompiledModelRunner(private val model: CompiledModel) : Runner {
    private val buffers = HashMap<String, Buffers>() // by the signature's key

    private class Buffers(
        val inputs: Map<String, TensorBuffer>,
        val outputs: Map<String, TensorBuffer>,
    )

    override fun run(
        signature: Signature,
        inputs: Map<String, IntArray>,
        batch: Int,
        length: Int,
    ): Map<String, FloatArray> {
        val own = buffers.getOrPut(signature.key) { create(signature) }
        for ((name, values) in inputs) own.inputs.getValue(name).writeInt(values)
        model.run(own.inputs, own.outputs, signature.key)
        return own.outputs.mapValues { (_, buffer) -> buffer.readFloat() }
    }

    private fun create(signature: Signature) = Buffers(
        signature.inputs.associateWith { model.createInputBuffer(it, signature.key) },
        signature.outputs.keys.associateWith { model.createOutputBuffer(it, signature.key) },
    )

    override fun close() {
        for (own in buffers.values) {
            (own.inputs.values + own.outputs.values).forEach(TensorBuffer::close)
        }
        model.close()
    }
}
