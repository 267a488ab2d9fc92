// For Node.

import { ensure } from "./core/checks.js";
import { openModel } from "./model/model.js";
import { createWasmRunner } from "./runners/litert_js_in_node.js";
import { createNativeRunner, hasNative } from "./runners/native.js";
import { readPath } from "./runners/read_path.js";

const RUNNERS = { native: createNativeRunner, wasm: createWasmRunner };

/** @type {typeof import("./node.d.ts").load} */
export async function load(source, { runner } = {}) {
  runner ??= (await hasNative()) ? "native" : "wasm";
  ensure(
    Object.hasOwn(RUNNERS, runner),
    `runner is '${runner}'; choose one of ${Object.keys(RUNNERS).join(", ")}.`,
  );
  const isPath = typeof source === "string" || source instanceof URL;
  const bytes = isPath ? await readPath(source) : new Uint8Array(source);
  return openModel(bytes, isPath ? String(source) : "a .tflite", RUNNERS[runner]);
}
