// Answers texts as predict.mjs does, but by the adapter for React Native:
//
//   node test/react_native.mjs FILE < TEXTS

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { inCodePoints } from "../code_points.js";
import { load } from "../react_native.js";
import { loadTensorflowModel } from "./fake_tflite.mjs";

const bytes = await readFile(process.argv[2]);
const tflite = await loadTensorflowModel(bytes);
const model = await load(bytes, tflite);
const lines = (await text(process.stdin))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));
// All at once, since outputs share their memory.
const answers = lines.map(async ({ text: first, pair = [], choices = [], options = {} }) => {
  const texts = [first, pair, choices].flat();
  return inCodePoints(await model.predict(...texts, options), texts[texts.length - 1]);
});
for (const answer of await Promise.all(answers)) console.log(JSON.stringify(answer));
await model.close();
if (!tflite.isDisposed) throw new Error("The model was not disposed.");
