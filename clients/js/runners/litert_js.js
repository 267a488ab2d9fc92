// Runs files by LiteRT.js: on WebAssembly or WebGPU, at fixed lengths.

import { ensure } from "../core/checks.js";

/**
 * @import { ModelFile, Runner } from "../types.js"
 * @typedef {typeof import("@litertjs/core")} LiteRt
 * @typedef {"wasm" | "webgpu" | "webnn"} Accelerator
 */

/**
 * Loads its WebAssembly, unless it is loaded.
 * @param {LiteRt} litert
 * @param {string | URL} folder
 */
export async function startLiteRtJs(litert, folder) {
  const loading = litert.getGlobalLiteRtPromise();
  if (loading) return loading;
  const path = String(folder).replace(/\/?$/, "/");
  // In a worker, its script would look for the rest beside the worker's script.
  const scope = /** @type {any} */ (globalThis);
  scope.Module ??= { locateFile: (/** @type {string} */ name) => path + name };
  return litert.loadLiteRt(path);
}

/**
 * @param {LiteRt} litert
 * @param {Uint8Array} bytes
 * @param {ModelFile} file
 * @param {Accelerator} accelerator
 * @returns {Promise<Runner>}
 */
export async function createLiteRtJsRunner(litert, bytes, file, accelerator) {
  requireFixed(file, "LiteRT.js");
  const model = await litert.loadAndCompile(bytes, { accelerator });
  return {
    async run({ key }, inputs, shape) {
      /** @type {{ delete(): void }[]} */
      const tensors = [];
      try {
        const named = Object.entries(inputs).map(([name, values]) => {
          const tensor = new litert.Tensor(values, shape);
          tensors.push(tensor);
          return [name, tensor];
        });
        const outputs = await model.run(key, Object.fromEntries(named));
        tensors.push(...Object.values(outputs));
        const read = Object.entries(outputs).map(async ([name, tensor]) => [
          name,
          Float32Array.from(await tensor.data()),
        ]);
        return Object.fromEntries(await Promise.all(read));
      } finally {
        // They lie in the memory of WebAssembly, which is not collected.
        for (const tensor of tensors) tensor.delete();
      }
    },
    close: () => model.delete(),
  };
}

/**
 * Refuses a file of free batch or length.
 * @param {ModelFile} file
 * @param {string} runner
 * @param {string} [wayOut]
 */
export function requireFixed({ name, signatures }, runner, wayOut = "export it with a length") {
  ensure(
    signatures.every(({ batch, length }) => batch !== undefined && length !== undefined),
    `${runner} runs files of fixed lengths, and '${name}' takes texts of any length: ${wayOut}.`,
  );
}
