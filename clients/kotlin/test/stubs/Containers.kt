// The results of MediaPipe 1.0.0's tasks (mediapipe/tasks/java), as far as docs/android.md reads them.

package com.google.mediapipe.tasks.components.containers

abstract class ClassificationResult {
    abstract fun classifications(): List<Classifications>
}

abstract class Classifications {
    abstract fun categories(): List<Category>
}

abstract class Category {
    abstract fun categoryName(): String

    abstract fun score(): Float
}

abstract class EmbeddingResult {
    abstract fun embeddings(): List<Embedding>
}

abstract class Embedding {
    abstract fun floatEmbedding(): FloatArray
}
