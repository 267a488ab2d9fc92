// Errors: one sentence each, the same as Python's where it has one.

const MOST_CHARACTERS = 500_000; // of a text that is read in windows

/**
 * @param {unknown} condition
 * @param {string} message
 * @returns {asserts condition}
 */
export function ensure(condition, message) {
  if (!condition) throw new Error(message);
}

/**
 * Refuses what is not a text.
 * @param {unknown} text
 */
export function checkText(text) {
  ensure(typeof text === "string", `${JSON.stringify(text)} is not a text: pass a string.`);
  ensure(
    !/[\ud800-\udfff]/u.test(text),
    "A text holds half of a surrogate pair, which is not text: replace it by text.toWellFormed().",
  );
}

/**
 * Refuses a text, or a list of words, that is too long to be read in windows.
 * @param {string} name
 * @param {string | string[]} given
 */
export function checkWindowed(name, given) {
  const text = typeof given === "string" ? given : given.map((word) => `${word} `).join("");
  const size = [...text].length;
  ensure(
    size <= MOST_CHARACTERS,
    `${name} of ${size.toLocaleString("en")} characters is too long to be read in windows: split ` +
      "it into texts of at most 500,000 characters.",
  );
}

/**
 * The first characters of a text in quotes, as Python writes them, for errors.
 * @param {string} text
 * @param {number} most
 */
export function quoted(text, most) {
  const start = [...text].slice(0, most).join("");
  const escaped = start.replace(/[\0-\x1f\x7f-\xa0\xad\\]/g, (c) =>
    /[\t\n\r\\]/.test(c)
      ? JSON.stringify(c).slice(1, -1)
      : `\\x${(256 + c.charCodeAt(0)).toString(16).slice(1)}`,
  );
  if (start.includes("'") && !start.includes('"')) return `"${escaped}"`;
  return `'${escaped.replace(/'/g, "\\'")}'`;
}
