// For browsers and workers.

import { ensure } from "./core/checks.js";
import { openModel } from "./model/model.js";
import { createLiteRtJsRunner, startLiteRtJs } from "./runners/litert_js.js";

/** @type {typeof import("./index.d.ts").load} */
export async function load(source, options = {}) {
  const { accelerator = "wasm", signal } = options;
  const isAddress = typeof source === "string" || source instanceof URL;
  const bytes = isAddress ? await download(source, signal) : new Uint8Array(source);
  const { name = isAddress ? String(source) : "a .tflite" } = options;
  const litert = options.litert ?? (await import("@litertjs/core"));
  await startLiteRtJs(litert, options.wasm ?? besideLiteRtJs());
  return openModel(bytes, name, (content, file) =>
    createLiteRtJsRunner(litert, content, file, accelerator),
  );
}

function besideLiteRtJs() {
  ensure(
    typeof import.meta.resolve === "function",
    "Pass the address of the folder @litertjs/core/wasm/ as wasm, since a bundle does not know it.",
  );
  return new URL("../wasm/", import.meta.resolve("@litertjs/core"));
}

/**
 * @param {string | URL} address
 * @param {AbortSignal} [signal]
 */
async function download(address, signal) {
  const response = await fetch(address, { signal });
  ensure(response.ok, `There is no file '${address}': check the path.`);
  return new Uint8Array(await response.arrayBuffer());
}
