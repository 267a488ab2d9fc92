// Compares the client with parts of the corpus in clients/conformance, and prints the number of
// lines that were compared and that differ, with the first differences:
//
//   node test/conformance.mjs tokens codepoints answers models

import { readFileSync } from "node:fs";
import { inCodePoints } from "../code_points.js";
import { TASKS } from "../core/tasks/index.js";
import { Tokenizer } from "../core/tokenizer.js";
import { windows } from "../core/windows.js";
import { load } from "../node.js";

const CORPUS = new URL("../../conformance/", import.meta.url);
const SHOWN = 5; // differences of each part
const ROUNDING = 2e-6; // of numbers in answers.jsonl
const CLASSES = {
  "feature-extraction": "SqueezeBertModel",
  "fill-mask": "SqueezeBertForMaskedLM",
  "multiple-choice": "SqueezeBertForMultipleChoice",
  "question-answering": "SqueezeBertForQuestionAnswering",
  "text-classification": "SqueezeBertForSequenceClassification",
  "token-classification": "SqueezeBertForTokenClassification",
};
const HIDDEN_SIZE = 6; // of the models whose outputs answers.jsonl holds

const read = (path) => readFileSync(new URL(path, CORPUS), "utf8");
const lines = (path) =>
  read(path)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const tokenizers = new Map();

function tokenizerOf(name) {
  if (!tokenizers.has(name)) {
    const [vocabulary, config] = ["vocab.txt", "tokenizer_config.json"].map((file) =>
      read(`tokenizers/${name}/${file}`),
    );
    tokenizers.set(name, new Tokenizer(vocabulary, JSON.parse(config)));
  }
  return tokenizers.get(name);
}

function rowsOf(tokenizer, { text, pair, max_length = 512, stride }) {
  const texts = [text, pair].filter((x) => x !== undefined).map((x) => tokenizer.encode(x));
  if (stride === undefined) return [tokenizer.truncated(max_length, texts)];
  const last = texts.pop();
  const room = max_length - 2 - texts.reduce((sum, tokens) => sum + tokens.length + 1, 0);
  return windows(last, room, stride).map((part) => tokenizer.row(...texts, part));
}

/** A row as the corpus writes it. */
const written = ({ tokens, input_ids, token_type_ids }) => ({
  input_ids,
  token_type_ids,
  word_ids: tokens.map(({ word }) => word ?? null),
  offsets: tokens.flatMap(({ start, end }) => [start, end]),
});

/** What the corpus expects of a row, in UTF-16. */
const wanted = ({ token_type_ids, input_ids, word_ids, offsets, offsets_utf16 = offsets }) => ({
  input_ids,
  token_type_ids: token_type_ids ?? input_ids.map(() => 0),
  word_ids,
  offsets: offsets_utf16,
});

function* tokens() {
  for (const line of lines("tokens.jsonl")) {
    const got = rowsOf(tokenizerOf(line.tokenizer), line).map(written);
    yield { line, got, want: line.rows.map(wanted) };
  }
}

function* codepoints() {
  for (const { tokenizer, first, last, row } of lines("codepoints.jsonl")) {
    for (let point = first; point <= last; point++) {
      const text = `a${String.fromCodePoint(point)}b`;
      const [got] = rowsOf(tokenizerOf(tokenizer), { text }).map(written);
      yield { line: { tokenizer, point, text }, got, want: wanted(shifted(row, point)) };
    }
  }
}

/** The offsets of a row of three characters in UTF-16, if the second takes two units there. */
function shifted(row, point) {
  const shift = point > 0xffff ? 1 : 0;
  return { ...row, offsets: row.offsets.map((offset) => offset + (offset > 1 ? shift : 0)) };
}

/** The answers to given outputs, from which floats may differ in their last digits. */
function* answers() {
  for (const line of lines("answers.jsonl")) {
    const task = TASKS[CLASSES[line.task]];
    const labels = Object.values(line.id2label ?? {});
    const tokenizer = tokenizerOf(line.tokenizer);
    const config = { ...line, vocab_size: tokenizer.tokens.length, hidden_size: HIDDEN_SIZE };
    const model = { config, labels, tokenizer, maxLength: line.max_length };
    const texts = textsOf(line);
    const options = line.options ?? {};
    const rows = task.rows(texts, model, options);
    const parts = line.outputs.map((outputs, i) => {
      const flat = Object.entries(outputs).map(([name, values]) => [
        name,
        Float32Array.from(values.flat(2)),
      ]);
      return task.read(Object.fromEntries(flat), rows[i], model, options);
    });
    const answer = task.answer?.(parts, texts, options) ?? parts[0];
    const got = { ...answer, ...(rows.some((row) => row.truncated) && { truncated: true }) };
    yield { line, got: inCodePoints(got, texts[texts.length - 1]), want: line.answer };
  }
}

/** The answers of small files. */
async function* models() {
  let model, name;
  for (const line of lines("models.jsonl")) {
    if (line.model !== name) {
      await model?.close();
      name = line.model;
      model = await load(new URL(`models/${name}`, CORPUS));
    }
    const texts = textsOf(line);
    const got = inCodePoints(
      await model.predict(...texts, line.options ?? {}),
      texts[texts.length - 1],
    );
    yield { line, got, want: line.answer, tolerance: line.tolerance };
  }
  await model.close();
}

const textsOf = ({ text, pair, choices = [] }) =>
  [text, pair, ...choices].filter((x) => x !== undefined);

/** Whether two values are the same, but for numbers that differ by no more than the tolerance. */
function isNear(got, want, tolerance) {
  if (typeof want === "number") return Math.abs(got - want) <= tolerance;
  if (typeof want !== "object" || want === null) return got === want;
  const keys = Object.keys(want);
  return (
    keys.length === Object.keys(got).length &&
    keys.every((key) => key in got && isNear(got[key], want[key], tolerance))
  );
}

async function compare(cases) {
  const found = { compared: 0, different: 0, first: [] };
  for await (const { line, got, want, tolerance = ROUNDING } of cases) {
    found.compared++;
    if (isNear(got, want, tolerance)) continue;
    found.different++;
    if (found.first.length < SHOWN) found.first.push({ line, got, want });
  }
  return found;
}

const PARTS = { tokens, codepoints, answers, models };
const results = {};
for (const name of process.argv.slice(2)) results[name] = await compare(PARTS[name]());
console.log(JSON.stringify(results));
