// A text as characters that know the place in the text that they came from, and BERT's changes.

import { CONTROL, IDEOGRAPH, MARK, NEWER, SPACE } from "./unicode.js";

/** White space, also where control characters were not removed. */
export const WHITE_SPACE = new RegExp(`${SPACE.source}|[\\v\\f\\x85]`, "u");

/**
 * @typedef {object} Character a code point of a text, or of what became of it
 * @property {string} text
 * @property {number} start where its source starts in the text, in UTF-16 units
 * @property {number} end
 */

/** @param {string} text */
export function charactersOf(text) {
  let end = 0;
  return Array.from(text, (character) => {
    const start = end;
    end += character.length;
    return { text: character, start, end };
  });
}

/** @param {{ text: string }[]} characters */
export const textOf = (characters) => characters.map(({ text }) => text).join("");

/** @param {Character[]} characters */
export const spanOf = (characters) => ({
  start: characters[0].start,
  end: characters[characters.length - 1].end,
});

/**
 * Removes control characters, and makes all white space spaces.
 * @param {Character[]} characters
 */
export function clean(characters) {
  return characters
    .filter(({ text }) => !CONTROL.test(text))
    .map((character) => (SPACE.test(character.text) ? { ...character, text: " " } : character));
}

/**
 * Puts spaces around Chinese ideographs.
 * @param {Character[]} characters
 */
export function separateIdeographs(characters) {
  return characters.flatMap((character) =>
    IDEOGRAPH.test(character.text) ? replace(character, ` ${character.text} `) : character,
  );
}

/**
 * Characters in lower case: one by one, so that a sigma has no other form at the end of a word.
 * @param {Character[]} characters
 */
export function lowerCase(characters) {
  return characters.flatMap((character) => {
    const lower = character.text.toLowerCase();
    return lower === character.text ? character : replace(character, lower);
  });
}

/**
 * Decomposes characters (NFD) and removes the combining marks.
 * @param {Character[]} characters
 */
export function stripAccents(characters) {
  /** @type {Character[]} */
  const result = [];
  for (let start = 0, end = 0; start < characters.length; start = end) {
    while (end < characters.length && mayChange(characters[end].text)) end++;
    if (start === end) result.push(characters[end++]);
    else for (const part of decompose(characters.slice(start, end))) result.push(part);
  }
  return result.filter(({ text }) => !MARK.test(text));
}

/** @param {string} text */
const mayChange = (text) => text >= "\u00c0" && !NEWER.test(text);

/** @param {Character[]} characters */
function decompose(characters) {
  const parts = characters.flatMap(({ text }) =>
    Array.from(text.normalize("NFD"), (part, i) => ({ text: part, isFirst: i === 0 })),
  );
  // As in the library, parts take their places in the text after marks were sorted.
  let place = -1;
  return sorted(parts).map(({ text, isFirst }) => {
    if (isFirst) place++;
    return { ...characters[Math.max(place, 0)], text };
  });
}

/**
 * Decomposed characters in Unicode's order of marks.
 * @template {{ text: string }} Part
 * @param {Part[]} parts
 */
function sorted(parts) {
  const text = textOf(parts);
  const order = text.normalize("NFD");
  if (order === text) return parts;
  /** @type {Map<string, Part[]>} */
  const waiting = new Map(parts.map((part) => [part.text, []]));
  for (const part of parts) waiting.get(part.text)?.push(part);
  return Array.from(order, (mark) => /** @type {Part} */ (waiting.get(mark)?.shift()));
}

/**
 * The characters that take the place of one.
 * @param {Character} character
 * @param {string} others
 */
const replace = (character, others) => Array.from(others, (text) => ({ ...character, text }));
