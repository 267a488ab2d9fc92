// Multiple choice: chooses which of several texts fits a text. Each choice makes a row.

import { ensure } from "../checks.js";
import { best, softmax } from "../numbers.js";

/** @import { Task } from "./index.js" */

/** @type {Task} */
export const multipleChoice = {
  title: "Multiple choice",
  outputs: () => ({ logits: 1 }),

  rows([text, ...choices], { tokenizer, maxLength }) {
    ensure(choices.length >= 2, `${this.title} takes a text and at least two choices.`);
    const first = tokenizer.encode(text);
    return choices.map((choice) =>
      tokenizer.truncated(maxLength, [first, tokenizer.encode(choice)]),
    );
  },

  read: ({ logits }) => logits[0],

  answer(parts, [, ...choices]) {
    const index = best(parts);
    return { choice: choices[index], index, scores: softmax(parts) };
  },
};
