// Answers texts in headless Chromium: in a page, without a build step, in a worker, and in a page on
// WebGPU, which software computes:
//
//   node test/browser.mjs CHROMIUM FILE < TEXTS
//
// Prints a line of JSON for each of the three: the answers, as predict.mjs writes them, and the
// result of the self test.

import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { inCodePoints } from "../code_points.js";

const [executablePath, file] = process.argv.slice(2);
const folder = fileURLToPath(new URL("..", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

const lines = (await text(process.stdin))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line));
const questions = lines.map(({ text: first, pair = [], choices = [] }) =>
  [first, pair, choices].flat(),
);

// LiteRT.js loads its scripts in workers of the classic kind only, and these know no import maps.
const bundle = await build({
  entryPoints: [join(folder, "test/browser/worker.js")],
  bundle: true,
  write: false,
  logLevel: "silent",
});

const server = createServer(({ url = "" }, response) => {
  const path = url === "/model.tflite" ? file : join(folder, url);
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  if (url === "/test/browser/worker.js") {
    response.setHeader("content-type", type).end(bundle.outputFiles[0].contents);
  } else if (existsSync(path)) {
    response.setHeader("content-type", type);
    createReadStream(path).pipe(response);
  } else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
const { port } = /** @type {any} */ (server.address());

const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/test/browser/page.html`);
  await page.waitForFunction(() => "answer" in globalThis);
  const model = "/model.tflite";
  const runs = /** @type {const} */ ([
    [inPage, "wasm"],
    [inWorker, "wasm"],
    [inPage, "webgpu"],
  ]);
  for (const [run, accelerator] of runs) {
    const given = { model, questions, accelerator };
    const { error, answers, test } = await page.evaluate(run, given);
    if (error) throw new Error(error);
    const written = answers.map((answer, i) => inCodePoints(answer, questions[i].at(-1)));
    console.log(JSON.stringify({ answers: written, test }));
  }
} finally {
  await browser.close();
  server.close();
}

function inPage({ model, questions, accelerator }) {
  return globalThis.answer(model, questions, { accelerator });
}

async function inWorker({ model, questions, accelerator }) {
  const worker = new Worker("worker.js");
  const wasm = new URL("/node_modules/@litertjs/core/wasm/", location.href).href;
  worker.postMessage([model, questions, { wasm, accelerator }]);
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: message });
  });
}
