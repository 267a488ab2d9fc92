// Errors: one sentence each, the same as Python's where it has one.

const MOST_CHARACTERS = 500_000; // of a text that is read in windows

/**
 * @param {unknown} condition
 * @param {string} message
 * @returns {asserts condition}
 */
export function require(condition, message) {
  if (!condition) throw new Error(message);
}

/**
 * Refuses what is not a text.
 * @param {unknown} text
 */
export function checkText(text) {
  require(typeof text === "string", `${JSON.stringify(text)} is not a text: pass a string.`);
  require(
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
  if (text.length <= MOST_CHARACTERS) return;
  const [count, most] = [[...text].length, MOST_CHARACTERS].map((x) => x.toLocaleString("en"));
  require(
    [...text].length <= MOST_CHARACTERS,
    `${name} of ${count} characters is too long to be read in windows: split it into texts of at ` +
      `most ${most} characters.`,
  );
}

/**
 * The first characters of a text in quotes, as Python writes them.
 * @param {string} text
 * @param {number} most
 */
export function quoted(text, most) {
  const start = [...text].slice(0, most).join("");
  const quote = start.includes("'") && !start.includes('"') ? '"' : "'";
  const escapes = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "'": quote === "'" ? "\\'" : "'" };
  return quote + start.replace(/[\n\r\t\\']/g, (x) => escapes[x]) + quote;
}
