package tfsqueezebert

import java.nio.ByteBuffer

/** The functions of litert_jni.c, which call LiteRT's C API. */
internal object LiteRt {
    init {
        System.loadLibrary("litert_jni")
    }

    /** Finds LiteRT's functions in libLiteRt.so, for all other functions. */
    external fun load(library: String)

    /**
     * Opens a file, and returns an address for the functions below.
     *
     * @param content the whole file in direct memory, which must stay there
     */
    external fun open(content: ByteBuffer): Long

    /** The names of a signature's inputs, in the order of `run`. */
    external fun inputNames(file: Long, signature: Int, count: Int): Array<String>

    external fun outputNames(file: Long, signature: Int, count: Int): Array<String>

    /**
     * Calls the file with inputs [batch, length], and returns its outputs.
     *
     * @param isFree whether the inputs' shapes are free and must be set
     */
    external fun run(
        file: Long,
        signature: Int,
        inputs: Array<IntArray>,
        batch: Int,
        length: Int,
        isFree: Boolean,
        outputCount: Int,
    ): Array<FloatArray>

    external fun close(file: Long)
}
