/** @param {ArrayLike<number>} logits */
export function softmax(logits) {
  const most = logits[best(logits)];
  const powers = Array.from(logits, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

/** @param {number} logit */
export const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));

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
 * @param {number[]} numbers
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
    found.splice(count);
  });
  return found;
}
