// Masked language modelling: predicts the tokens in place of [MASK].

import { ensure, quoted } from "../checks.js";
import { largest, softmax } from "../numbers.js";

/** @import { Task } from "./index.js" */

/** @type {Task} */
export const maskedLM = {
  title: "Masked language modelling",
  options: ["top_k"],
  outputs: ({ vocab_size }) => ({ logits: vocab_size }),

  rows(texts, { tokenizer, maxLength }, { top_k = 5 }) {
    ensure(
      Number.isInteger(top_k) && top_k >= 1,
      `top_k must be a whole number from 1, not ${JSON.stringify(top_k)}.`,
    );
    ensure(texts.length <= 2, `${this.title} takes one text, or a pair.`);
    const mask = tokenizer.special("mask");
    const encoded = texts.map((text) => tokenizer.encode(text));
    const row = tokenizer.truncated(maxLength, encoded);
    const count = (/** @type {{ id: number }[]} */ tokens) =>
      tokens.filter(({ id }) => id === tokenizer.mask).length;
    const text = quoted(texts[0], 40);
    ensure(
      count(encoded.flat()) === count(row.tokens),
      `The text ${text} has a ${mask} beyond the ${maxLength} tokens that the model takes: ` +
        "shorten the text.",
    );
    ensure(count(row.tokens), `The text ${text} has no ${mask}: add one to fill.`);
    return [row];
  },

  read({ logits }, { tokens }, { config, tokenizer }, { top_k = 5 }) {
    const size = config.vocab_size;
    const places = tokens.flatMap(({ id }, i) => (id === tokenizer.mask ? [i] : []));
    const masks = places.map((place) => {
      const scores = softmax(logits.subarray(place * size, (place + 1) * size));
      const found = largest(scores, top_k);
      return Object.fromEntries(found.map((id) => [tokenizer.tokens[id], scores[id]]));
    });
    return { masks };
  },
};
