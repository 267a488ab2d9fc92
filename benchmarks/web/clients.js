// Each client's way from a text to the scores of its labels, on one thread of the processor.

import {
  FilesetResolver,
  TextClassifier,
} from "./node_modules/@mediapipe/tasks-text/text_bundle.mjs";
import { env, pipeline } from "./node_modules/@huggingface/transformers/dist/transformers.min.js";
import { load } from "tf-squeezebert";

const address = (path) => new URL(path, document.baseURI).href;

async function openOurs(file) {
  const model = await load(file);
  return async (text) => (await model.predict(text)).scores;
}

async function openMediaPipe(file) {
  const wasm = await FilesetResolver.forTextTasks(
    address("node_modules/@mediapipe/tasks-text/wasm"),
  );
  const classifier = await TextClassifier.createFromModelPath(wasm, file);
  return async (text) => {
    const [{ categories }] = classifier.classify(text).classifications;
    return Object.fromEntries(categories.map(({ categoryName, score }) => [categoryName, score]));
  };
}

/** The folder of the .tflite has the same weights for it, in float32 and in int8. */
async function openTransformers(file, dtype) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  // It takes whole addresses for the hub's.
  env.localModelPath = new URL("models/", document.baseURI).pathname;
  const [, folder] = file.match(/models\/(.*)\/model.tflite/);
  env.useBrowserCache = false;
  env.backends.onnx.wasm.wasmPaths = address("node_modules/onnxruntime-web/dist/");
  env.backends.onnx.wasm.numThreads = 1;
  const classify = await pipeline("text-classification", folder, { device: "wasm", dtype });
  return async (text) => {
    const labels = await classify(text, { top_k: null });
    return Object.fromEntries(labels.map(({ label, score }) => [label, score]));
  };
}

const CLIENTS = {
  ours: openOurs,
  MediaPipe: openMediaPipe,
  "transformers.js, q8": (file) => openTransformers(file, "q8"),
  "transformers.js, fp32": (file) => openTransformers(file, "fp32"),
};

/** Scores of each text and milliseconds of each round, by client; the clients take turns. */
globalThis.compare = async ({ file, names, texts, rounds }) => {
  const clients = {};
  const results = {};
  for (const name of names) {
    const start = performance.now();
    clients[name] = await CLIENTS[name](file);
    await clients[name](texts[0]);
    results[name] = { first: performance.now() - start, scores: [], times: texts.map(() => []) };
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [i, text] of texts.entries()) {
      for (const [name, answer] of Object.entries(clients)) {
        const start = performance.now();
        const scores = await answer(text);
        if (round === 0)
          results[name].scores.push(scores); // and memory is set up
        else results[name].times[i].push(performance.now() - start);
      }
    }
  }
  return results;
};
