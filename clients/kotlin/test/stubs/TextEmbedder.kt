// What docs/android.md calls of MediaPipe 1.0.0's TextEmbedder (mediapipe/tasks/java), to compile it.

package com.google.mediapipe.tasks.text.textembedder

import android.content.Context
import com.google.mediapipe.tasks.components.containers.EmbeddingResult

class TextEmbedder private constructor() : AutoCloseable {
    fun embed(inputText: String): TextEmbedderResult = TODO(inputText)

    override fun close() = Unit

    companion object {
        fun createFromFile(context: Context, modelPath: String): TextEmbedder =
            TODO("$context $modelPath")
    }
}

abstract class TextEmbedderResult {
    abstract fun embeddingResult(): EmbeddingResult
}
