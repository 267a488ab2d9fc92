package tfsqueezebert

import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val TFL3 = 0x334c4654 // the mark of a .tflite
// Fields of the tables in TensorFlow Lite's schema.
private const val MODEL_GRAPHS = 2
private const val MODEL_SIGNATURES = 7
private const val SIGNATURE_INPUTS = 0
private const val SIGNATURE_OUTPUTS = 1
private const val SIGNATURE_KEY = 2
private const val SIGNATURE_GRAPH = 4
private const val MAP_NAME = 0
private const val MAP_TENSOR = 1
private const val GRAPH_TENSORS = 0
private const val TENSOR_SHAPE = 0
private const val TENSOR_FREE_SHAPE = 7 // with -1 for a free axis; missing if there is none
private const val MOST_ELEMENTS = 1 shl 16 // of a list or a text; only a damaged file has more

/**
 * A way to call a file: a graph with named inputs and outputs.
 *
 * @property index its number in the file
 * @property batch the number of texts of a call; null if it is free
 * @property length the number of tokens of each text; null if it is free
 * @property inputs the names of the inputs
 * @property outputs the outputs by name, each with the size of its last axis, or -1
 */
class Signature internal constructor(
    val key: String,
    val index: Int,
    val batch: Int?,
    val length: Int?,
    val inputs: List<String>,
    val outputs: Map<String, Int>,
)

/**
 * The signatures of a .tflite; those that take the shortest texts come first.
 *
 * @throws IllegalArgumentException it is not one
 */
internal fun readSignatures(content: ByteBuffer, name: String): List<Signature> {
    val data = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    require(data.limit() >= 8 && data.getInt(4) == TFL3) { "'$name' is not a .tflite file." }
    try {
        val model = Table(data, data.getInt(0))
        val graphs = model.tables(MODEL_GRAPHS)
        return model.tables(MODEL_SIGNATURES)
            .mapIndexed { index, table -> readSignature(table, index, graphs) }
            .sortedBy { it.length ?: 0 }
    } catch (error: IndexOutOfBoundsException) {
        throw IllegalArgumentException(
            "'$name' is cut off or damaged: copy or export it again.", error,
        )
    }
}

private fun readSignature(table: Table, index: Int, graphs: List<Table>): Signature {
    val tensors = graphs[table.int(SIGNATURE_GRAPH)].tables(GRAPH_TENSORS)
    fun shapes(field: Int) = table.tables(field).associate { map ->
        map.text(MAP_NAME) to shapeOf(tensors[map.int(MAP_TENSOR)])
    }
    val inputs = shapes(SIGNATURE_INPUTS)
    val (batch, length) = inputs["input_ids"]?.takeIf { it.size == 2 } ?: listOf(0, 0)
    return Signature(
        table.text(SIGNATURE_KEY),
        index,
        batch.takeIf { it >= 0 },
        length.takeIf { it >= 0 },
        inputs.keys.toList(),
        shapes(SIGNATURE_OUTPUTS).mapValues { (_, shape) -> shape.lastOrNull() ?: -1 },
    )
}

private fun shapeOf(tensor: Table) =
    tensor.ints(TENSOR_FREE_SHAPE).ifEmpty { tensor.ints(TENSOR_SHAPE) }

/** A table of a flatbuffer, whose fields are found through a list of their offsets. */
private class Table(private val data: ByteBuffer, private val start: Int) {
    private val fields = start - data.getInt(start)

    /** The place of a field; 0 if the table lacks it. */
    private fun place(field: Int): Int {
        val at = 4 + 2 * field
        if (at >= data.getShort(fields).toInt() and 0xffff) return 0
        val offset = data.getShort(fields + at).toInt() and 0xffff
        return if (offset == 0) 0 else start + offset
    }

    /** The places of a vector's elements of 4 bytes each. */
    private fun places(field: Int): List<Int> {
        val place = place(field)
        if (place == 0) return emptyList()
        val vector = place + data.getInt(place)
        val count = data.getInt(vector)
        if (count !in 0..MOST_ELEMENTS) throw IndexOutOfBoundsException()
        return List(count) { vector + 4 * (it + 1) }
    }

    fun int(field: Int): Int {
        val place = place(field)
        return if (place == 0) 0 else data.getInt(place)
    }

    fun ints(field: Int) = places(field).map(data::getInt)

    fun tables(field: Int) = places(field).map { Table(data, it + data.getInt(it)) }

    fun text(field: Int): String {
        val place = place(field)
        val start = place + data.getInt(place)
        val size = data.getInt(start)
        if (size !in 0..MOST_ELEMENTS) throw IndexOutOfBoundsException()
        return String(ByteArray(size) { data.get(start + 4 + it) }, Charsets.UTF_8)
    }
}
