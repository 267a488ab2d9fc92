package tfsqueezebert

// Places in a text count UTF-16 units, as Kotlin's strings do: text.substring(start, end).

/** What a model says about a text: what Python's `predict` returns, by the same names. */
sealed interface Answer

/** An answer to a text of which the end is left out if it is longer than the model takes. */
sealed interface TruncatedAnswer : Answer {
    /** Whether a part of the text was left out. */
    val truncated: Boolean
}

/**
 * Of a classifier with one label for each text.
 *
 * @property label the label with the best score
 * @property score its probability
 * @property scores the probabilities of all labels
 */
data class LabelAnswer(
    val label: String,
    val score: Double,
    val scores: Map<String, Double>,
    override val truncated: Boolean,
) : TruncatedAnswer

/**
 * Of a classifier with several labels for each text.
 *
 * @property labels those with a score of 0.5 or more
 */
data class LabelsAnswer(
    val label: String,
    val score: Double,
    val labels: List<String>,
    val scores: Map<String, Double>,
    override val truncated: Boolean,
) : TruncatedAnswer

/** Of a regression: a number for each of its names. */
data class RegressionAnswer(
    val values: Map<String, Double>,
    override val truncated: Boolean,
) : TruncatedAnswer

/** Of token classification: the label of each word, and the words of one entity joined. */
data class EntitiesAnswer(val words: List<Word>, val entities: List<Entity>) : Answer

/** A word of a text, with its label. */
data class Word(
    val label: String,
    val score: Double,
    val start: Int,
    val end: Int,
    val word: String,
)

/**
 * An entity of a text.
 *
 * @property group its kind: a label without its prefix, such as B-
 * @property score the mean of its words' scores
 */
data class Entity(
    val group: String,
    val score: Double,
    val word: String,
    val start: Int,
    val end: Int,
)

/**
 * Of question answering: a part of the context.
 *
 * @property answer "" from 0 to 0 if the context holds no answer, which is possible only with
 *   `handleImpossibleAnswer`
 */
data class SpanAnswer(val answer: String, val score: Double, val start: Int, val end: Int) : Answer

/** Of masked LM: for each [MASK] its best tokens and their scores, the best first. */
data class MaskAnswer(
    val masks: List<Map<String, Double>>,
    override val truncated: Boolean,
) : TruncatedAnswer

/**
 * Of multiple choice.
 *
 * @property choice the choice that fits the text best
 * @property index its number, from 0
 * @property scores the probabilities of all choices
 */
data class ChoiceAnswer(
    val choice: String,
    val index: Int,
    val scores: List<Double>,
    override val truncated: Boolean,
) : TruncatedAnswer

/** Of the bare model: a vector of length 1. */
class EmbeddingAnswer(
    val embedding: FloatArray,
    override val truncated: Boolean,
) : TruncatedAnswer
