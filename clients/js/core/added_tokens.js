// Tokens that are never split, such as [MASK].

import { WHITE_SPACE, textOf } from "./characters.js";

/**
 * @import { Character } from "./characters.js"
 * @typedef {object} AddedToken
 * @property {number} id
 * @property {string} content
 * @property {boolean} [normalized] whether it is looked for in the normalized text
 * @property {boolean} [single_word] whether it may not be a part of a word
 * @property {boolean} [lstrip] whether it takes the white space before it
 * @property {boolean} [rstrip] whether it takes the white space after it
 * @typedef {{ characters: Character[], id?: number }} Part of a text; a token if it has an id
 */

// Unicode's class \w. It is made when it is needed, since Hermes does not compile \p.
const wordCharacter = () =>
  new RegExp("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]", "u");

/**
 * A function that splits a text at some tokens; where several start, the longest counts.
 * @param {AddedToken[]} tokens
 * @returns {(characters: Character[]) => Part[]}
 */
export function splitterAt(tokens) {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map(escape).join("|"), "gu");
  return (characters) => {
    const text = textOf(characters);
    const matches = tokens.length ? [...text.matchAll(pattern)] : [];
    return matches.length ? split(characters, matches, byContent) : [{ characters }];
  };
}

/**
 * @param {Character[]} characters
 * @param {RegExpMatchArray[]} matches
 * @param {Map<string, AddedToken>} byContent
 */
function split(characters, matches, byContent) {
  /** @type {Part[]} */
  const parts = [];
  const numbers = numbersOf(characters);
  const is = (/** @type {RegExp} */ kind, /** @type {number} */ i) =>
    kind.test(characters[i]?.text ?? "");
  let last = 0;
  for (const { 0: content, index = 0 } of matches) {
    const { id, single_word, lstrip, rstrip } = /** @type {AddedToken} */ (byContent.get(content));
    let from = numbers[index];
    let to = numbers[index + content.length] ?? characters.length;
    if (single_word && (is(wordCharacter(), from - 1) || is(wordCharacter(), to))) continue;
    while (lstrip && from > last && is(WHITE_SPACE, from - 1)) from--;
    while (rstrip && is(WHITE_SPACE, to)) to++;
    if (from > last) parts.push({ characters: characters.slice(last, from) });
    parts.push({ characters: characters.slice(from, to), id });
    last = to;
  }
  if (last < characters.length) parts.push({ characters: characters.slice(last) });
  return parts;
}

/**
 * The number of the character that starts at each UTF-16 unit of a text.
 * @param {Character[]} characters
 */
const numbersOf = (characters) =>
  characters.flatMap(({ text }, i) => /** @type {number[]} */ (Array(text.length).fill(i)));

/**
 * A text as a pattern, which with the flag u may escape these characters and no others.
 * @param {string} text
 */
const escape = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
