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
const lines = (await text(process.stdin)).trimEnd().split("\n").map((line) => JSON.parse(line));
const questions = lines.map(({ text: first, pair = [], choices = [] }) => [first, pair, choices].flat());
// All at once, since outputs share their memory.
const answers = await Promise.all(questions.map((texts) => model.predict(...texts)));
answers.forEach((answer, i) => {
  console.log(JSON.stringify(inCodePoints(answer, questions[i][questions[i].length - 1])));
});
await model.close();
if (!tflite.isDisposed) throw new Error("The model was not disposed.");
