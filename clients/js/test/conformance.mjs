// Compares the client with the corpus in clients/conformance, and prints the number of lines that
// were compared and that differ, with the first differences:
//
//   node test/conformance.mjs

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Tokenizer } from "../core/tokenizer.js";
import { windows } from "../core/windows.js";

const CORPUS = new URL("../../conformance/", import.meta.url);
const SHOWN = 5; // differences of each kind

const read = (path) => readFileSync(new URL(path, CORPUS), "utf8");
const lines = (path) => read(path).trimEnd().split("\n").map((line) => JSON.parse(line));

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

function* codePoints() {
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

function compare(cases) {
  const found = { compared: 0, different: 0, first: [] };
  for (const { line, got, want } of cases) {
    found.compared++;
    if (isDeepStrictEqual(got, want)) continue;
    found.different++;
    if (found.first.length < SHOWN) found.first.push({ line, got, want });
  }
  return found;
}

console.log(JSON.stringify({ tokens: compare(tokens()), codepoints: compare(codePoints()) }));
