// Extractive question answering: finds the answer to a question in a context.

import { checkWindowed, ensure, quoted } from "../checks.js";
import { softmax } from "../numbers.js";
import { overlapOf, windows } from "../windows.js";

/** @import { Task } from "./index.js" */

const MOST_ANSWER_TOKENS = 30;

/** @type {Task} */
export const questionAnswering = {
  title: "Question answering",
  options: ["handle_impossible_answer"],
  outputs: () => ({ start_logits: undefined, end_logits: undefined }),

  rows(texts, { tokenizer, maxLength }) {
    ensure(texts.length === 2, `${this.title} takes a question and a context.`);
    checkWindowed("The question", texts[0]);
    checkWindowed("The context", texts[1]);
    const [question, context] = texts.map((text) => tokenizer.encode(text));
    const overlap = overlapOf(maxLength);
    const room = maxLength - 3 - question.length;
    if (context.length <= room) return [tokenizer.row(question, context)];
    ensure(
      room > overlap,
      `The question ${quoted(texts[0], 60)} has ${question.length} tokens, but only ` +
        `${Math.max(maxLength - overlap - 4, 0)} leave room for the context at max_length ` +
        `${maxLength} and stride ${overlap}: shorten it, or pass a greater max_length.`,
    );
    return windows(context, room, overlap).map((part) => tokenizer.row(question, part));
  },

  /** The score of "no answer" in this window, and the window's best answer. */
  read({ start_logits, end_logits }, { tokens }) {
    // [CLS] stands for "no answer": it takes its part of the probability, but is not a span.
    const [start, end] = [start_logits, end_logits].map((logits) =>
      softmax(tokens.map(({ text }, i) => (i === 0 || text === 1 ? logits[i] : -Infinity))),
    );
    const none = start[0] * end[0];
    let found = { score: 0, start: 0, end: 0 };
    for (let first = 1; first < tokens.length; first++) {
      const stop = Math.min(first + MOST_ANSWER_TOKENS, tokens.length);
      for (let last = first; last < stop; last++) {
        const score = start[first] * end[last];
        if (score > found.score) {
          found = { score, start: tokens[first].start, end: tokens[last].end };
        }
      }
    }
    return { none, found };
  },

  answer(parts, [, context], { handle_impossible_answer = false }) {
    const none = Math.min(...parts.map((part) => part.none));
    let best = parts[0].found;
    for (const { found } of parts) if (found.score > best.score) best = found;
    if (handle_impossible_answer && none > best.score) best = { score: none, start: 0, end: 0 };
    return { answer: context.slice(best.start, best.end), ...best };
  },
};
