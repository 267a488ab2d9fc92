// For React Native.

import { openModel } from "./model/model.js";
import { createFastTfliteRunner } from "./runners/fast_tflite.js";

/** @type {typeof import("./react_native.d.ts").load} */
export async function load(content, model) {
  return openModel(new Uint8Array(content), "a .tflite", (_, file) =>
    createFastTfliteRunner(model, file),
  );
}
