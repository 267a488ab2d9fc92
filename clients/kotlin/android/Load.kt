package tfsqueezebert

import android.content.res.AssetManager
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.LiteRtException
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.MappedByteBuffer
import java.nio.channels.FileChannel
import org.tensorflow.lite.Interpreter

private const val THREADS = 2

/**
 * Opens a file among an app's assets, for the processor: by LiteRT's Interpreter, which takes texts
 * of any length.
 *
 * @param asset its name, with folders
 * @throws IOException there is no such asset, or it is compressed
 * @throws IllegalArgumentException it is not a file of this package, or is damaged
 */
fun Model.Companion.load(
    assets: AssetManager,
    asset: String,
    options: Interpreter.Options = defaults(),
): Model = interpreted(map(assets, asset), asset, options)

/** Opens a file on the device, for the processor, as an asset. */
fun Model.Companion.load(file: File, options: Interpreter.Options = defaults()): Model =
    interpreted(map(file), file.path, options)

/**
 * Opens a file among an app's assets, for a GPU or NPU: by LiteRT's CompiledModel, which takes
 * files of fixed lengths.
 *
 * @param options for instance `CompiledModel.Options(Accelerator.GPU)`
 * @param environment finds the libraries of an NPU; close it after the model
 * @throws IOException there is no such asset, or it is compressed
 * @throws IllegalArgumentException it is not a file of this package, is damaged, or takes texts of
 *   any length
 * @throws LiteRtException the device can not run it like this
 */
fun Model.Companion.load(
    assets: AssetManager,
    asset: String,
    options: CompiledModel.Options,
    environment: Environment? = null,
): Model = open(map(assets, asset), asset) { signatures ->
    requireFixed(signatures, asset)
    CompiledModelRunner(CompiledModel.create(assets, asset, options, environment))
}

/** Opens a file on the device, for a GPU or NPU, as an asset. */
fun Model.Companion.load(
    file: File,
    options: CompiledModel.Options,
    environment: Environment? = null,
): Model = open(map(file), file.path) { signatures ->
    requireFixed(signatures, file.path)
    CompiledModelRunner(CompiledModel.create(file.path, options, environment))
}

private fun defaults() = Interpreter.Options().setNumThreads(THREADS)

private fun Model.Companion.interpreted(
    content: MappedByteBuffer,
    name: String,
    options: Interpreter.Options,
): Model = open(content, name) {
    InterpreterRunner(openedByLiteRt(name) { Interpreter(content, options) })
}

private fun map(assets: AssetManager, asset: String): MappedByteBuffer =
    assets.openFd(asset).use { descriptor ->
        FileInputStream(descriptor.fileDescriptor).channel.map(
            FileChannel.MapMode.READ_ONLY,
            descriptor.startOffset,
            descriptor.declaredLength,
        )
    }

private fun requireFixed(signatures: List<Signature>, name: String) {
    require(signatures.all { it.batch != null && it.length != null }) {
        "CompiledModel runs files of fixed lengths, and '$name' takes texts of any length: " +
            "export it with a length."
    }
}
