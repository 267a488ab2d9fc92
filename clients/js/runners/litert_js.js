// Runs files by LiteRT.js, on WebAssembly or WebGPU. It takes fixed lengths alone, so a file of
// free length is compiled for each length that is needed.

import { ensure } from "../core/checks.js";
import { atEachLength, withLength } from "../model/lengths.js";

/**
 * @import { ModelFile, Runner, Signature } from "../types.js"
 * @typedef {typeof import("@litertjs/core")} LiteRt
 * @typedef {Awaited<ReturnType<LiteRt["loadAndCompile"]>>} Compiled
 * @typedef {"wasm" | "webgpu" | "webnn"} Accelerator
 */

const MOST_COMPILED = 6; // each takes about twice the file's size of memory

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
  const [{ batch }] = file.signatures;
  if (!isFixed(file) && batch && accelerator === "wasm") {
    return createFreeRunner(litert, bytes, file);
  }
  requireFixed(file, `LiteRT.js on ${accelerator}`); // a graph for processors is wrong on some GPUs
  const model = await litert.loadAndCompile(bytes, { accelerator });
  return {
    run: ({ key }, inputs, shape) => call(litert, model, key, inputs, shape),
    close: () => model.delete(),
  };
}

/**
 * Runs a file of free length, at the shortest of several lengths that fits.
 * @param {LiteRt} litert
 * @param {Uint8Array} bytes
 * @param {ModelFile} file
 * @returns {Promise<Runner>}
 */
async function createFreeRunner(litert, bytes, { signatures: [free], config }) {
  const signatures = atEachLength(free, config.max_position_embeddings);
  /** By their lengths, the last used last. @type {Map<number | undefined, Compiled>} */
  const models = new Map();
  const modelFor = async (/** @type {Signature} */ signature) => {
    const { length } = signature;
    const model =
      models.get(length) ??
      (await litert.loadAndCompile(withLength(bytes, signature), { accelerator: "wasm" }));
    models.delete(length);
    models.set(length, model);
    const [[oldest, unused]] = models;
    if (models.size > MOST_COMPILED) {
      models.delete(oldest);
      unused.delete();
    }
    return model;
  };
  await modelFor(signatures[0]); // finds now whether it can be compiled
  return {
    signatures,
    async run(signature, inputs, shape) {
      repeatInPadding(inputs, shape[1]);
      return call(litert, await modelFor(signature), signature.key, inputs, shape);
    },
    close: () => models.forEach((model) => model.delete()),
  };
}

/**
 * @param {LiteRt} litert
 * @param {Compiled} model
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

/**
 * Fills the padding of each row with the row's own tokens, which the mask hides. In int8, one scale
 * is computed from all positions; so it stays close to that of the text alone.
 * @param {Record<string, Int32Array>} inputs
 * @param {number} length
 */
function repeatInPadding({ input_ids, token_type_ids, attention_mask }, length) {
  for (let start = 0; start < input_ids.length; start += length) {
    const end = start + length;
    const count = attention_mask.subarray(start, end).lastIndexOf(1) + 1;
    for (const ids of [input_ids, token_type_ids]) {
      for (let i = start + count; i < end; i++) ids[i] = ids[i - count];
    }
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
  const isFreeBatch = file.signatures.some(({ batch }) => batch === undefined);
  const [shape, takes, wayOut] = isFreeBatch
    ? ["batches", "any number of texts", "without batch=None"]
    : ["lengths", "texts of any length", "with a length"];
  ensure(
    isFixed(file),
    `${runner} runs files of fixed ${shape}, and '${file.name}' takes ${takes}: export it ` +
      `${wayOut}.`,
  );
}
