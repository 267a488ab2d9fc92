// Lets LiteRT.js load its WebAssembly in Node, which has no scripts of a page or a worker.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ensure } from "../core/checks.js";
import { createLiteRtJsRunner, startLiteRtJs } from "./litert_js.js";

const require = createRequire(import.meta.url);

/**
 * @param {Uint8Array} bytes
 * @param {import("../types.js").ModelFile} file
 */
export async function createWasmRunner(bytes, file) {
  return createLiteRtJsRunner(await startInNode(), bytes, file, "wasm");
}

/** Loads LiteRT.js. */
export async function startInNode() {
  const litert = await import("@litertjs/core").catch(() => undefined);
  ensure(litert, "LiteRT.js is not installed: type 'npm install @litertjs/core'.");
  const scope = /** @type {any} */ (globalThis);
  scope.self ??= scope;
  scope.navigator ??= {};
  scope.importScripts ??= importScript;
  await startLiteRtJs(litert, join(dirname(require.resolve("@litertjs/core")), "../wasm/"));
  return litert;
}

/** Runs a script that defines ModuleFactory. */
function importScript(/** @type {string} */ path) {
  const script = `${readFileSync(path, "utf8")}\nreturn ModuleFactory;`;
  const run = new Function("require", "__filename", "__dirname", script);
  /** @type {any} */ (globalThis).ModuleFactory = run(require, path, dirname(path));
}
