// What android/ and README.md call of Android, by files of a folder.

package android.content.res

import java.io.Closeable
import java.io.File
import java.io.FileDescriptor
import java.io.FileInputStream

class AssetManager(private val folder: File) {
    fun openFd(name: String) = AssetFileDescriptor(File(folder, name))

    fun path(name: String) = File(folder, name).path
}

class AssetFileDescriptor internal constructor(private val file: File) : Closeable {
    private val stream = FileInputStream(file)
    val fileDescriptor: FileDescriptor get() = stream.fd
    val startOffset = 0L
    val declaredLength get() = file.length()

    override fun close() = stream.close()
}
