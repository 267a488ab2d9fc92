package tfsqueezebert

import java.io.File
import java.io.FileNotFoundException
import java.io.RandomAccessFile
import java.nio.MappedByteBuffer
import java.nio.channels.FileChannel

/**
 * Maps a file to memory, so that only what is used of it is read.
 *
 * @throws FileNotFoundException there is no such file
 */
internal fun map(file: File): MappedByteBuffer {
    if (!file.isFile) throw FileNotFoundException("There is no file '$file': check the path.")
    return RandomAccessFile(file, "r").use {
        it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.length())
    }
}
