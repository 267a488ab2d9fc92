// Answers texts on the command line:
//
//   node predict.mjs FILE [--tokens] [--runner native|wasm] < TEXTS
//
// Each line of TEXTS is a JSON object: {"text": ..., "pair": ..., "options": {...}}, of which pair is
// the second text, the context of a question, or a list of choices. An answer is written for each as
// a line of JSON, which equals that of Python's predict: places in a text count code points. With
// --tokens, input_ids and offsets are written instead.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { checkText, require } from "./core/checks.js";
import { readFile } from "./model/file.js";
import { load, readPath } from "./node.js";

const USAGE = "node predict.mjs FILE [--tokens] [--runner native|wasm] < TEXTS";

async function main() {
  const { path, tokens, runner } = readArguments();
  const model = tokens ? tokenizing(readFile(await readPath(path), path)) : await answering(path, runner);
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    number++;
    if (line.trim()) console.log(JSON.stringify(await model(readLine(line, number))));
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { tokens: { type: "boolean" }, runner: { type: "string" } },
    });
    require(positionals.length === 1, "Pass one file");
    return { ...values, path: positionals[0] };
  } catch (error) {
    const [sentence] = /** @type {Error} */ (error).message.split(". ");
    throw new Error(`${sentence}: type '${USAGE}'.`);
  }
}

/**
 * @typedef {{ text: string, pair?: string | string[], options?: Record<string, any> }} Line
 * @param {string} line
 * @param {number} number
 * @returns {Line}
 */
function readLine(line, number) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {}
  require(
    Object.prototype.toString.call(value) === "[object Object]" && "text" in value,
    `Line ${number} is not a JSON object with a "text": write one for each text.`,
  );
  return value;
}

/**
 * @param {string} path
 * @param {any} runner
 */
async function answering(path, runner) {
  const model = await load(path, runner && { runner });
  return async (/** @type {Line} */ { text, pair = [], options = {} }) => {
    const texts = [text, ...[pair].flat()];
    const isWords = Array.isArray(text);
    const answer = await model.predict(...(isWords ? [[text]] : texts), options);
    // Places are in the last text: the only one, or the context of a question.
    const last = isWords ? text.join(" ") : texts[texts.length - 1];
    return inCodePoints(isWords ? answer[0] : answer, codePointsOf(last));
  };
}

/** @param {import("./model/file.js").ReadFile} file */
function tokenizing({ tokenizer, maxLength }) {
  return async (/** @type {Line} */ { text, pair = [] }) => {
    const texts = [text, ...[pair].flat()];
    texts.forEach(checkText);
    const encoded = texts.map((each) => tokenizer.encode(each));
    const { tokens, input_ids } = tokenizer.truncated(maxLength, encoded);
    const places = texts.map(codePointsOf);
    const offsets = tokens.map(({ start, end, text: i = 0 }) => [places[i][start], places[i][end]]);
    return { input_ids, offsets };
  };
}

/** For each UTF-16 unit of a text, and its end, the number of code points before it. */
function codePointsOf(/** @type {string} */ text) {
  const numbers = [0];
  for (const character of text) {
    numbers[numbers.length + character.length - 1] = numbers[numbers.length - 1] + 1;
  }
  return numbers;
}
