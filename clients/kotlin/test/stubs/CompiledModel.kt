// What android/ calls of LiteRT's CompiledModel, as declared in LiteRT 2.2.0 (litert/kotlin/src/
// main/kotlin/com/google/ai/edge/litert). It runs files by LiteRT's native library.

package com.google.ai.edge.litert

import android.content.Context
import android.content.res.AssetManager
import java.io.File
import tfsqueezebert.NativeFile
import tfsqueezebert.map

enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

class TensorBuffer internal constructor(private val isOpen: () -> Boolean) : AutoCloseable {
    internal var ints = IntArray(0)
    internal var floats = FloatArray(0)
    internal var isClosed = false

    fun writeInt(data: IntArray) {
        check(isOpen() && !isClosed)
        ints = data
    }

    fun readFloat(): FloatArray {
        check(isOpen() && !isClosed)
        return floats
    }

    override fun close() {
        isClosed = true
    }
}

class CompiledModel private constructor(private val file: NativeFile) : AutoCloseable {
    class Options(internal vararg val accelerators: Accelerator)

    private val buffers = ArrayList<TensorBuffer>()
    private var isOpen = true

    fun createInputBuffer(inputName: String, signature: String = "") = create(inputName, signature)

    fun createOutputBuffer(outputName: String, signature: String = "") =
        create(outputName, signature)

    private fun create(name: String, signature: String): TensorBuffer {
        require(signature in file.keys && name.isNotEmpty())
        return TensorBuffer { isOpen }.also(buffers::add)
    }

    fun run(
        inputs: Map<String, TensorBuffer>,
        outputs: Map<String, TensorBuffer>,
        signature: String = "",
    ) {
        val found = file.run(signature, inputs.mapValues { (_, buffer) -> buffer.ints })
        for ((name, buffer) in outputs) buffer.floats = found.getValue(name)
    }

    override fun close() {
        check(buffers.all { it.isClosed })
        isOpen = false
        file.close()
    }

    companion object {
        fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options = Options(Accelerator.CPU),
            optionalEnv: Environment? = null,
        ) = create(assetManager.path(assetName), options, optionalEnv)

        fun create(
            filePath: String,
            options: Options = Options(Accelerator.CPU),
            optionalEnv: Environment? = null,
        ): CompiledModel {
            require(options.accelerators.isNotEmpty() && optionalEnv?.isOpen != false)
            return CompiledModel(NativeFile(map(File(filePath))))
        }
    }
}

class Environment private constructor() : AutoCloseable {
    internal var isOpen = true

    override fun close() {
        isOpen = false
    }

    companion object {
        fun create(context: Context, npuAcceleratorProvider: NpuAcceleratorProvider): Environment {
            check(npuAcceleratorProvider.isDeviceSupported() && context.assets.path("").isNotEmpty())
            return Environment()
        }
    }
}

interface NpuAcceleratorProvider {
    fun isDeviceSupported(): Boolean
}

class BuiltinNpuAcceleratorProvider(private val context: Context) : NpuAcceleratorProvider {
    override fun isDeviceSupported() = context.assets.path("").isNotEmpty()
}
