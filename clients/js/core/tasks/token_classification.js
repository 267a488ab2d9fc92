// Token classification: labels each word of a text, and joins words to entities.

import { checkWindowed, ensure } from "../checks.js";
import { best, softmax } from "../numbers.js";
import { overlapOf, windows } from "../windows.js";

/**
 * @import { Entity, Word } from "../../types.js"
 * @import { Task } from "./index.js"
 * @typedef {Omit<Word, "word"> & { edge: number }} Found
 *   a word's label in a window, and its distance from the window's edge
 */

/** @type {Task} */
export const tokenClassification = {
  title: "Token classification",
  outputs: (_, { length }) => ({ logits: length }),
  takesWords: true,

  rows(texts, { tokenizer, maxLength }) {
    ensure(texts.length === 1, `${this.title} takes one text.`);
    const [text] = texts;
    checkWindowed("The text", text);
    const tokens = Array.isArray(text) ? tokenizer.encodeWords(text) : tokenizer.encode(text);
    const parts = windows(tokens, maxLength - 2, overlapOf(maxLength));
    return parts.map((part) => tokenizer.row(part));
  },

  /** The label of each word, from its first piece. */
  read({ logits }, { tokens }, { labels }) {
    /** @type {Map<number, Found>} */
    const words = new Map();
    tokens.forEach(({ word, start, end }, i) => {
      if (word === undefined) return;
      const known = words.get(word);
      if (known) known.end = end;
      else {
        const scores = softmax(logits.subarray(i * labels.length, (i + 1) * labels.length));
        const [found, edge] = [best(scores), Math.min(i, tokens.length - i)];
        words.set(word, { label: labels[found], score: scores[found], start, end, edge });
      }
    });
    return words;
  },

  answer(parts, [given]) {
    const found = withMostContext(parts);
    const text = Array.isArray(given) ? given.join(" ") : given;
    const places = Array.isArray(given) ? amongWords(found, given) : inOrder(found);
    const words = places.map(({ label, score, start, end }) => ({
      ...{ label, score, start, end },
      word: text.slice(start, end),
    }));
    return { words, entities: entities(words, text) };
  },
};

/**
 * Where windows overlap, the one with the most context around a word labels it.
 * @param {Map<number, Found>[]} windows
 */
function withMostContext(windows) {
  /** @type {Map<number, Found>} */
  const best = new Map();
  for (const words of windows) {
    for (const [number, word] of words) {
      if (word.edge > (best.get(number)?.edge ?? -1)) best.set(number, word);
    }
  }
  return best;
}

/** @param {Map<number, Found>} found */
const inOrder = (found) => [...found].sort(([a], [b]) => a - b).map(([, word]) => word);

/**
 * The label and place of each given word; "O" if the tokenizer removed it.
 * @param {Map<number, Found>} found
 * @param {string[]} words
 */
function amongWords(found, words) {
  let next = 0;
  return words.map((word, i) => {
    const start = next;
    next += word.length + 1;
    return { label: "O", score: 0, ...found.get(i), start, end: start + word.length };
  });
}

/**
 * Joins neighbouring words of one entity, by labels in the forms BIO, BIOES, BILOU or IO. For
 * labels without such prefixes, each run of the same label is an entity.
 * @param {Word[]} words
 * @param {string} text
 * @returns {Entity[]}
 */
function entities(words, text) {
  /** @type {Word[][]} */
  const groups = [];
  let previous = "O";
  for (const word of words) {
    const { label } = word;
    if (label !== "O") {
      const begins = /^[BSU]-/.test(label) || previous === "O" || /^[ELSU]-/.test(previous);
      if (begins || kindOf(label) !== kindOf(previous)) groups.push([]);
      groups[groups.length - 1].push(word);
    }
    previous = label;
  }
  return groups.map((group) => entity(group, text));
}

/**
 * @param {Word[]} group
 * @param {string} text
 */
function entity(group, text) {
  const { label, start } = group[0];
  const { end } = group[group.length - 1];
  const score = group.reduce((sum, word) => sum + word.score, 0) / group.length;
  return { entity_group: kindOf(label), score, word: text.slice(start, end), start, end };
}

/** @param {string} label */
const kindOf = (label) => label.replace(/^[BIELSU]-/, "");
