// Runs files in Node by LiteRT's native library, called through koffi: files of any length.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensure } from "../core/checks.js";

/**
 * @import { ModelFile, Runner, Signature } from "../types.js"
 * @typedef {{ pointer: bigint, size: number }} Memory of a tensor, in bytes
 * @typedef {{ inputs: string[], outputs: string[] }} Names
 * @typedef {Record<string, (...values: any[]) => any>} Library
 */

// Of the C API of LiteRT 2.3. The library comes with LiteRT's Python package, without headers.
const FUNCTIONS = [
  "int LiteRtCreateEnvironment(int count, void *options, _Out_ void **made)",
  "int LiteRtCreateModelFromBuffer(" +
    "void *environment, void *bytes, size_t size, _Out_ void **made)",
  "int LiteRtCreateOptions(_Out_ void **made)",
  "int LiteRtSetOptionsHardwareAccelerators(void *options, int accelerators)",
  "int LiteRtCreateCompiledModel(" +
    "void *environment, void *model, void *options, _Out_ void **made)",
  "int LiteRtGetModelSignature(void *model, size_t index, _Out_ void **made)",
  "int LiteRtGetSignatureInputName(void *signature, size_t index, _Out_ const char **made)",
  "int LiteRtGetSignatureOutputName(void *signature, size_t index, _Out_ const char **made)",
  "int LiteRtCompiledModelResizeInputTensor(" +
    "void *compiled, size_t signature, size_t input, void *sizes, size_t rank)",
  "int LiteRtGetCompiledModelOutputTensorLayouts(" +
    "void *compiled, size_t signature, size_t count, void *layouts, bool update)",
  "int LiteRtCreateManagedTensorBuffer(" +
    "void *environment, int kind, void *type, size_t size, _Out_ void **made)",
  "int LiteRtLockTensorBuffer(void *buffer, _Out_ void **address, int mode)",
  "int LiteRtUnlockTensorBuffer(void *buffer)",
  "int LiteRtRunCompiledModel(" +
    "void *compiled, size_t signature, size_t inputs, void *given, size_t outputs, void *taken)",
  "void LiteRtDestroyTensorBuffer(void *buffer)",
  "void LiteRtDestroyCompiledModel(void *compiled)",
  "void LiteRtDestroyOptions(void *options)",
  "void LiteRtDestroyModel(void *model)",
  "void LiteRtDestroyEnvironment(void *environment)",
];
const CPU = 1; // an accelerator
const HOST_MEMORY = 1; // a kind of buffer
const [FLOAT32, INT32] = [1, 2]; // types of elements
const [READ, WRITE] = [0, 1]; // modes of locking
const LAYOUT = 17; // numbers of a layout: a rank, 8 sizes and 8 strides
// Prints the folder of LiteRT's Python package.
const FIND = `
from importlib.util import find_spec
print(*find_spec("ai_edge_litert").submodule_search_locations)`;
// An option of the environment, that only errors are logged: its tag, and the int 3.
const QUIET = Int32Array.of(25, 0, 2, 0, 3, 0);

/**
 * @param {Uint8Array} bytes
 * @param {ModelFile} file
 * @returns {Promise<Runner>}
 */
export async function createNativeRunner(bytes, file) {
  const path = findLibrary();
  ensure(
    path,
    "There is no LiteRT: type 'pip install ai-edge-litert', or put the path of libLiteRt.so into " +
      "LITERT_LIBRARY.",
  );
  ensure(existsSync(path), `There is no file '${path}', LiteRT's library: check LITERT_LIBRARY.`);
  const koffi = await loadKoffi();
  ensure(koffi, "koffi is not installed: type 'npm install koffi'.");
  return new NativeRunner(koffi, loadLibrary(koffi, path), bytes, file);
}

/** Whether there is what the native runner needs. */
export async function hasNative() {
  return findLibrary() !== undefined && (await loadKoffi()) !== undefined;
}

const loadKoffi = () => import("koffi").catch(() => undefined);

/** The path of LiteRT's library: the one that is named, or that of its Python package. */
function findLibrary() {
  const { LITERT_LIBRARY: named } = process.env;
  return named ?? ((packaged ??= findPackaged()) || undefined);
}

/** @type {string | undefined} */
let packaged;

function findPackaged() {
  try {
    const folder = execFileSync("python3", ["-c", FIND], { encoding: "utf8", stdio: "pipe" });
    return join(folder.trim(), "libLiteRt.so");
  } catch {
    return "";
  }
}

/** @implements {Runner} */
class NativeRunner {
  /**
   * @param {typeof import("koffi")} koffi
   * @param {Library} library
   * @param {Uint8Array} bytes
   * @param {ModelFile} file
   */
  constructor(koffi, library, bytes, file) {
    this.koffi = koffi;
    this.library = library;
    this.bytes = bytes; // which the library does not copy
    this.environment = made(library.CreateEnvironment, 1, QUIET);
    this.model = made(library.CreateModelFromBuffer, this.environment, bytes, bytes.length);
    this.options = made(library.CreateOptions);
    library.SetOptionsHardwareAccelerators(this.options, CPU);
    const { environment, model, options } = this;
    this.compiled = made(library.CreateCompiledModel, environment, model, options);
    // The shape of the inputs of each signature.
    this.shapes = new Map(file.signatures.map((x) => [x, [x.batch, x.length]]));
    this.names = new Map(file.signatures.map((signature) => [signature, this.#names(signature)]));
  }

  /**
   * The names of a signature's inputs and outputs, in the library's order.
   * @param {Signature} signature
   * @returns {Names}
   */
  #names({ index, inputs, outputs }) {
    const { GetModelSignature, GetSignatureInputName, GetSignatureOutputName } = this.library;
    const signature = made(GetModelSignature, this.model, index);
    return {
      inputs: inputs.map((_, i) => made(GetSignatureInputName, signature, i)),
      outputs: outputs.map((_, i) => made(GetSignatureOutputName, signature, i)),
    };
  }

  /**
   * @param {Signature} signature
   * @param {Record<string, Int32Array>} inputs
   * @param {[number, number]} shape
   */
  run(signature, inputs, shape) {
    const { inputs: given, outputs: wanted } = /** @type {Names} */ (this.names.get(signature));
    const isNew = String(this.shapes.get(signature)) !== String(shape);
    this.shapes.set(signature, shape);
    /** @type {Memory[]} */
    const buffers = [];
    try {
      for (const [i, name] of given.entries()) {
        if (isNew) this.#resize(signature, i, shape);
        buffers.push(this.#allocate(INT32, shape));
        this.#whileLocked(buffers[i], WRITE, (memory) => new Int32Array(memory).set(inputs[name]));
      }
      for (const sizes of this.#outputShapes(signature, wanted.length)) {
        buffers.push(this.#allocate(FLOAT32, sizes));
      }
      this.#call(signature, buffers.slice(0, given.length), buffers.slice(given.length));
      const outputs = wanted.map((name, i) => {
        const buffer = buffers[given.length + i];
        const read = (/** @type {ArrayBuffer} */ memory) => new Float32Array(memory.slice(0));
        return [name, this.#whileLocked(buffer, READ, read)];
      });
      return Object.fromEntries(outputs);
    } finally {
      for (const { pointer } of buffers) this.library.DestroyTensorBuffer(pointer);
    }
  }

  /**
   * @param {Signature} signature
   * @param {number} i the number of the input
   * @param {number[]} shape
   */
  #resize({ index }, i, shape) {
    const sizes = Int32Array.from(shape);
    this.library.CompiledModelResizeInputTensor(this.compiled, index, i, sizes, sizes.length);
  }

  /** The shapes of a signature's outputs, for the inputs' current ones. */
  #outputShapes(/** @type {Signature} */ { index }, /** @type {number} */ count) {
    const layouts = new Int32Array(count * LAYOUT);
    this.library.GetCompiledModelOutputTensorLayouts(this.compiled, index, count, layouts, true);
    return Array.from({ length: count }, (_, i) => {
      const start = i * LAYOUT;
      const rank = layouts[start] & 127;
      return [...layouts.subarray(start + 1, start + 1 + rank)];
    });
  }

  /**
   * @param {Signature} signature
   * @param {Memory[]} inputs
   * @param {Memory[]} outputs
   */
  #call({ index }, inputs, outputs) {
    const [given, taken] = [inputs, outputs].map((some) =>
      BigUint64Array.from(some, ({ pointer }) => pointer),
    );
    const { RunCompiledModel } = this.library;
    RunCompiledModel(this.compiled, index, given.length, given, taken.length, taken);
  }

  /**
   * Memory for a tensor of elements of 4 bytes.
   * @param {number} type
   * @param {number[]} shape
   * @returns {Memory}
   */
  #allocate(type, shape) {
    const tensorType = new Int32Array(1 + LAYOUT);
    tensorType.set([type, shape.length, ...shape]);
    const size = shape.reduce((a, b) => a * b, 4);
    const { CreateManagedTensorBuffer: create } = this.library;
    return { pointer: made(create, this.environment, HOST_MEMORY, tensorType, size), size };
  }

  /**
   * @template T
   * @param {Memory} buffer
   * @param {number} mode
   * @param {(memory: ArrayBuffer) => T} use
   */
  #whileLocked({ pointer, size }, mode, use) {
    /** @type {[any]} */
    const address = [null];
    this.library.LockTensorBuffer(pointer, address, mode);
    try {
      return use(this.koffi.view(address[0], size));
    } finally {
      this.library.UnlockTensorBuffer(pointer);
    }
  }

  close() {
    this.library.DestroyCompiledModel(this.compiled);
    this.library.DestroyOptions(this.options);
    this.library.DestroyModel(this.model);
    this.library.DestroyEnvironment(this.environment);
  }
}

/**
 * What a function of the library makes, which its last argument takes.
 * @param {(...values: any[]) => void} create
 * @param {any[]} values
 */
function made(create, ...values) {
  /** @type {[any]} */
  const result = [null];
  create(...values, result);
  return result[0];
}

/**
 * The functions of the library, by their names without "LiteRt".
 * @param {typeof import("koffi")} koffi
 * @param {string} path
 * @returns {Library}
 */
function loadLibrary(koffi, path) {
  const library = koffi.load(path);
  const functions = FUNCTIONS.map((declaration) => {
    const call = library.func(declaration);
    const [, name] = /** @type {RegExpExecArray} */ (/LiteRt(\w+)\(/.exec(declaration));
    const checked = (/** @type {any[]} */ ...values) => {
      const status = call(...values);
      ensure(!status, `LiteRT can not run the file: ${name} ended with the status ${status}.`);
    };
    return [name, checked];
  });
  return Object.fromEntries(functions);
}
