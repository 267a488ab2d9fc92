// What docs/android.md calls of MediaPipe 1.0.0's TextClassifier (mediapipe/tasks/java), to compile it.

package com.google.mediapipe.tasks.text.textclassifier

import android.content.Context
import com.google.mediapipe.tasks.components.containers.ClassificationResult

class TextClassifier private constructor() : AutoCloseable {
    fun classify(inputText: String): TextClassifierResult = TODO(inputText)

    override fun close() = Unit

    companion object {
        fun createFromFile(context: Context, modelPath: String): TextClassifier =
            TODO("$context $modelPath")
    }
}

abstract class TextClassifierResult {
    abstract fun classificationResult(): ClassificationResult
}
