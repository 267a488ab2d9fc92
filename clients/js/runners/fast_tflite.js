// Runs files in React Native by react-native-fast-tflite: at fixed lengths.

import { ensure } from "../core/checks.js";
import { requireFixed } from "./litert_js.js";

/**
 * @import { FastTfliteModel } from "../react_native.js"
 * @import { ModelFile, Runner } from "../types.js"
 */

/**
 * @param {FastTfliteModel} model
 * @param {ModelFile} file
 * @returns {Runner}
 */
export function createFastTfliteRunner(model, file) {
  requireFixed(file, "react-native-fast-tflite");
  // It knows the first graph of a file only, and no names of inputs and outputs.
  const signatures = file.signatures.filter(({ graph }) => graph === 0);
  const [{ batch, length, inputs: names, outputs }] = signatures;
  // It would ignore an input of another size.
  const fits = model.inputs.every(({ shape }) => String(shape) === String([batch, length]));
  ensure(
    fits && model.inputs.length === names.length && model.outputs.length === outputs.length,
    `The loaded model is not '${file.name}': load both from the same file.`,
  );
  return {
    signatures,
    async run(_, inputs) {
      const buffers = names.map((name) => inputs[name].buffer);
      const results = await model.run(/** @type {ArrayBuffer[]} */ (buffers));
      // It uses the memory of results again.
      return Object.fromEntries(
        outputs.map(({ name }, i) => [name, new Float32Array(results[i].slice(0))]),
      );
    },
    close: () => model.dispose?.(),
  };
}
