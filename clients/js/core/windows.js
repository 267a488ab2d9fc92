const OVERLAP = 128;

/**
 * The number of tokens that a window repeats from the one before.
 * @param {number} maxLength the number of tokens of a row
 */
export const overlapOf = (maxLength) => Math.min(OVERLAP, Math.floor(maxLength / 4));

/**
 * Windows that together hold all of a text's tokens.
 * @template T
 * @param {T[]} tokens
 * @param {number} size of a window
 * @param {number} overlap
 */
export function windows(tokens, size, overlap) {
  const found = [tokens.slice(0, size)];
  for (let from = size - overlap; from + overlap < tokens.length; from += size - overlap) {
    found.push(tokens.slice(from, from + size));
  }
  return found;
}
