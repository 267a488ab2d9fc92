// Embeddings of texts, by the bare model.

import { ensure } from "../checks.js";

/** @import { Task } from "./index.js" */

/** @type {Task} */
export const embedding = {
  title: "The bare model",
  outputs: ({ hidden_size: size }) => ({
    embedding: size,
    last_hidden_state: size,
    pooler_output: size,
  }),

  rows(texts, { tokenizer, maxLength }) {
    ensure(texts.length <= 2, `${this.title} takes one text, or a pair.`);
    const encoded = texts.map((text) => tokenizer.encode(text));
    return [tokenizer.truncated(maxLength, encoded)];
  },

  read({ embedding, last_hidden_state: states }, { tokens }, { config }) {
    if (embedding) return { embedding: Array.from(embedding) };
    const mean = Array(config.hidden_size).fill(0);
    const end = tokens.length * mean.length;
    for (let i = 0; i < end; i++) mean[i % mean.length] += states[i] / tokens.length;
    const length = Math.hypot(...mean);
    ensure(length > 0, "The mean of the hidden states is 0, which has no direction.");
    return { embedding: mean.map((x) => x / length) };
  },
};
