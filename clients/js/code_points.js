// Python counts a text's code points, and JavaScript its UTF-16 units.

/**
 * The number of code points before each place of a text.
 * @param {string} text
 */
export function codePointsOf(text) {
  const numbers = [0];
  for (const character of text) {
    const last = numbers[numbers.length - 1];
    numbers.push(...Array(character.length).fill(last + 1));
  }
  return numbers;
}

/**
 * An answer whose places count code points.
 * @param {any} answer
 * @param {string} text that it is about
 */
export function inCodePoints(answer, text) {
  const numbers = codePointsOf(text);
  const converted = (/** @type {any} */ value) =>
    "start" in value ? { ...value, start: numbers[value.start], end: numbers[value.end] } : value;
  const lists = Object.entries(answer).filter(([name]) => ["words", "entities"].includes(name));
  return {
    ...converted(answer),
    ...Object.fromEntries(lists.map(([name, values]) => [name, values.map(converted)])),
  };
}
