// The parts of a file that are JSON, or made of it.

import { ensure } from "../core/checks.js";

/**
 * Reads a part of a file, and names both in errors.
 * @template T
 * @param {string} part
 * @param {string} name of the file
 * @param {() => T} read whose errors are not whole sentences
 * @param {string} [fault] what is wrong with the part if reading fails
 */
export function readPart(part, name, read, fault = "is damaged, or not from this package") {
  try {
    return read();
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error(`The ${part} in '${name}' ${fault}: export the file again (${message}).`);
  }
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 */
export function parseObject(text) {
  const value = JSON.parse(text);
  ensure(value && typeof value === "object" && !Array.isArray(value), "it is not an object");
  return value;
}
