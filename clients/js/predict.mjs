// Answers texts on the command line:
//
//   node predict.mjs FILE [--tokens] [--runner native|wasm] < TEXTS
//
// Each line of TEXTS is a JSON object of "text" and, where the task needs them, "pair" (the second
// text, or the context of a question), "choices" and "options". For each, the answer is written as
// a line of JSON. It equals that of Python's predict: places in a text count code points. With
// --tokens, "input_ids" and "offsets" are written instead.

import { parseArgs } from "node:util";
import { codePointsOf, inCodePoints } from "./code_points.js";
import { checkText, ensure } from "./core/checks.js";
import { readFile } from "./model/file.js";
import { load } from "./node.js";
import { readPath } from "./runners/read_path.js";

const USAGE = "node predict.mjs FILE [--tokens] [--runner native|wasm] < TEXTS";

async function main() {
  const { path, tokens, runner } = readArguments();
  const answer = tokens
    ? tokenizing(readFile(await readPath(path), path))
    : await answering(path, runner);
  let number = 0;
  for await (const line of linesOf(process.stdin)) {
    number++;
    if (line.trim()) console.log(JSON.stringify(await answer(readLine(line, number))));
  }
}

/**
 * The lines of a stream. Node's readline would also split at U+2028, which a JSON string may hold.
 * @param {NodeJS.ReadStream} stream
 */
async function* linesOf(stream) {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { tokens: { type: "boolean" }, runner: { type: "string" } },
    });
    ensure(positionals.length === 1, "Pass one file");
    return { ...values, path: positionals[0] };
  } catch (error) {
    const [sentence] = /** @type {Error} */ (error).message.split(". ");
    throw new Error(`${sentence}: type '${USAGE}'.`);
  }
}

/**
 * @typedef {{ texts: any[], options: Record<string, any> }} Question
 * @param {string} line
 * @param {number} number
 * @returns {Question}
 */
function readLine(line, number) {
  const { text, pair, choices, options } = parseObject(line) ?? {};
  ensure(
    text !== undefined && Array.isArray(choices ?? []),
    `Line ${number} is not a JSON object with a "text": write one for each text.`,
  );
  const texts = [text, ...(pair == null ? [] : [pair]), ...(choices ?? [])];
  texts.forEach(checkText);
  return { texts, options: options ?? {} };
}

/** @param {string} line */
function parseObject(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {any} runner
 */
async function answering(path, runner) {
  const model = await load(path, runner && { runner });
  return async (/** @type {Question} */ { texts, options }) => {
    const answer = await model.predict(texts[0], ...texts.slice(1), options);
    // Places are in the only text, or in the context of a question.
    return inCodePoints(answer, texts[texts.length - 1]);
  };
}

/** @param {import("./model/file.js").ReadFile} file */
function tokenizing({ tokenizer, maxLength }) {
  return (/** @type {Question} */ { texts }) => {
    const encoded = texts.map((text) => tokenizer.encode(text));
    const { tokens, input_ids } = tokenizer.truncated(maxLength, encoded);
    const numbers = texts.map(codePointsOf);
    const offsets = tokens.map(({ start, end, text = 0 }) =>
      [start, end].map((place) => numbers[text][place]),
    );
    return { input_ids, offsets };
  };
}

// Whoever reads the answers may have enough of them.
process.stdout.on("error", ({ code }) => process.exit(code === "EPIPE" ? 0 : 1));
await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
