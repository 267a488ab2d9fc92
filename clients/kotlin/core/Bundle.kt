package tfsqueezebert

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException
import java.util.zip.CRC32

private const val END = 0x06054b50 // marks of a zip's records, and their sizes
private const val END_SIZE = 22
private const val ENTRY = 0x02014b50
private const val ENTRY_SIZE = 46
private const val LOCAL = 0x04034b50
private const val LOCAL_SIZE = 30
private const val MOST_FILES = 64
private const val MOST_BYTES = 64 shl 20

/**
 * The text files that a .tflite carries, by name: an uncompressed zip behind the model. Java's
 * ZipInputStream would look for it at the beginning, and its ZipFile takes a File only.
 *
 * @param name the file's name, for errors
 * @throws IllegalArgumentException it carries none, or damaged ones
 */
internal fun readBundle(content: ByteBuffer, name: String): Map<String, ByteArray> {
    val data = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    val end = data.limit() - END_SIZE
    require(end >= 0 && data.getInt(end) == END) {
        "'$name' carries no config.json: it is damaged, or not a .tflite that this package " +
            "exported."
    }
    val files = try {
        readZip(data, end)
    } catch (error: IndexOutOfBoundsException) {
        throw foreign(name, "has a directory that points beyond the file's end", error)
    } catch (error: IllegalArgumentException) {
        throw foreign(name, error.message, error)
    }
    require("config.json" in files) {
        "'$name' carries no config.json: this package did not export it."
    }
    return files
}

private fun foreign(name: String, what: String?, cause: Exception) =
    IllegalArgumentException("'$name' $what: this package did not export it like this.", cause)

private fun readZip(data: ByteBuffer, end: Int): Map<String, ByteArray> {
    val count = data.getUnsignedShort(end + 10)
    require(count <= MOST_FILES) { "carries more than $MOST_FILES files" }
    var entry = end - data.getInt(end + 12)
    // A zip that was made separately, and appended to the model, counts from its own start.
    val shift = entry - data.getInt(end + 16)
    require(entry >= 0 && shift >= 0) { "ends in a damaged directory of files" }
    val files = HashMap<String, ByteArray>()
    var left = MOST_BYTES
    repeat(count) {
        require(data.getInt(entry) == ENTRY) { "has a damaged directory of files" }
        val length = data.getUnsignedShort(entry + 28)
        val file = String(data.bytes(entry + ENTRY_SIZE, length), Charsets.UTF_8)
        if (file.endsWith(".json") || file.endsWith(".txt")) {
            val bytes = readStored(data, entry, shift, file, left)
            left -= bytes.size
            require(files.put(file, bytes) == null) { "holds two files with the same name" }
        }
        entry += ENTRY_SIZE + length + data.getUnsignedShort(entry + 30) +
            data.getUnsignedShort(entry + 32)
    }
    return files
}

private fun readStored(
    data: ByteBuffer,
    entry: Int,
    shift: Int,
    name: String,
    most: Int,
): ByteArray {
    require(data.getUnsignedShort(entry + 10) == 0) { "carries compressed files" }
    val local = data.getInt(entry + 42) + shift
    require(data.getInt(local) == LOCAL) { "holds a file that contradicts its directory" }
    val size = data.getInt(entry + 24)
    require(size <= most) { "carries files of more than ${MOST_BYTES shr 20} MB" }
    val start = local + LOCAL_SIZE + data.getUnsignedShort(local + 26) +
        data.getUnsignedShort(local + 28)
    val bytes = data.bytes(start, size)
    val isWhole = CRC32().apply { update(bytes) }.value.toInt() == data.getInt(entry + 16)
    require(isWhole) { "holds a damaged $name" }
    return bytes
}

/** The text of a file, which must be UTF-8; String would replace what is not. */
internal fun textOf(content: ByteArray): String = try {
    Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString()
} catch (error: CharacterCodingException) {
    throw IllegalArgumentException("it is not UTF-8 text", error)
}

private fun ByteBuffer.getUnsignedShort(at: Int) = getShort(at).toInt() and 0xffff

private fun ByteBuffer.bytes(at: Int, size: Int): ByteArray {
    if (at < 0 || size < 0 || at > limit() - size) throw IndexOutOfBoundsException()
    val bytes = ByteArray(size)
    val copy = duplicate()
    copy.position(at)
    copy.get(bytes)
    return bytes
}
