// Runs files by LiteRT.js, on WebAssembly or WebGPU. It takes fixed lengths alone, so a file of free
// length is compiled for each length that is needed.

import { ensure } from "../core/checks.js";
import { atEachLength, withLength } from "../model/lengths.js";

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
  const compile = (/** @type {Uint8Array} */ content) =>
    litert.loadAndCompile(content, { accelerator });
  if (isFixed(file)) {
    const model = await compile(bytes);
    return {
      run: ({ key }, inputs, shape) => call(litert, model, key, inputs, shape),
      close: () => model.delete(),
    };
  }
  // A graph for processors is wrong on some GPUs.
  if (accelerator !== "wasm") requireFixed(file, `LiteRT.js on ${accelerator}`);
  const signatures = atEachLength(file.signatures[0], file.config.max_position_embeddings);
  const models = new Map();
  const modelFor = async (/** @type {any} */ signature) => {
    const { length } = signature;
    if (!models.has(length)) models.set(length, await compile(withLength(bytes, signature)));
    return models.get(length);
  };
  await modelFor(signatures[0]); // finds now whether it can be compiled
  return {
    signatures,
    run: async (signature, inputs, shape) =>
      call(litert, await modelFor(signature), signature.key, inputs, shape),
    close: () => models.forEach((model) => model.delete()),
  };
}

/**
 * @param {LiteRt} litert
 * @param {Awaited<ReturnType<LiteRt["loadAndCompile"]>>} model
 * @param {string} key of the signature
 * @param {Record<string, Int32Array>} inputs
 * @param {number[]} shape
 */
async function call(litert, model, key, inputs, shape) {
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
}

/** @param {ModelFile} file */
const isFixed = ({ signatures }) =>
  signatures.every(({ batch, length }) => batch !== undefined && length !== undefined);

/**
 * Refuses a file of free batch or length.
 * @param {ModelFile} file
 * @param {string} runner
 */
export function requireFixed(file, runner) {
  ensure(
    isFixed(file),
    `${runner} runs files of fixed lengths, and '${file.name}' takes texts of any length: export ` +
      "it with a length.",
  );
}
