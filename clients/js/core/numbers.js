// Scores, computed in float32 as in Python, so that ties and zeros fall where they do there.

const { fround } = Math;

/** @param {ArrayLike<number>} logits */
export function softmax(logits) {
  const most = logits[best(logits)];
  const powers = Float32Array.from(logits, (x) => Math.exp(fround(x - most)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

/** @param {Float32Array} logits */
export const sigmoid = (logits) => logits.map((x) => 1 / fround(1 + fround(Math.exp(-x))));

/**
 * The place of the largest number, the first one if there are several.
 * @param {ArrayLike<number>} numbers
 */
export function best(numbers) {
  let found = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[found]) found = i;
  return found;
}

/**
 * The places of the largest numbers, in their order.
 * @param {Float32Array} numbers
 * @param {number} count
 */
export function largest(numbers, count) {
  /** @type {number[]} */
  const found = [];
  numbers.forEach((x, i) => {
    if (found.length === count && x <= numbers[found[count - 1]]) return;
    let place = found.length;
    while (place && x > numbers[found[place - 1]]) place--;
    found.splice(place, 0, i);
    found.length = Math.min(found.length, count);
  });
  return found;
}
