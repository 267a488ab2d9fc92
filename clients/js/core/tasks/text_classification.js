// Text classification, for single texts or pairs: one label, several labels, or numbers.

import { ensure } from "../checks.js";
import { best, sigmoid, softmax } from "../numbers.js";

/** @import { Task } from "./index.js" */

/** @type {Task} */
export const textClassification = {
  title: "Sequence classification",
  outputs: (_, { length }) => ({ logits: length, probability: length }),

  rows(texts, { tokenizer, maxLength }) {
    ensure(texts.length <= 2, `${this.title} takes one text, or a pair.`);
    const encoded = texts.map((text) => tokenizer.encode(text));
    return [tokenizer.truncated(maxLength, encoded)];
  },

  read({ logits, probability }, _, { config, labels }) {
    const byLabel = (/** @type {ArrayLike<number>} */ values) =>
      Object.fromEntries(labels.map((label, i) => [label, values[i]]));
    const problem = config.problem_type ?? (labels.length === 1 ? "regression" : "single");
    if (problem === "regression") return { values: byLabel(logits) };
    const isMulti = problem === "multi_label_classification";
    // A file for MediaPipe returns probabilities.
    const scores = probability ?? (isMulti ? Array.from(logits, sigmoid) : softmax(logits));
    const found = best(scores);
    return {
      label: labels[found],
      score: scores[found],
      ...(isMulti && { labels: labels.filter((_, i) => scores[i] >= 0.5) }),
      scores: byLabel(scores),
    };
  },
};
