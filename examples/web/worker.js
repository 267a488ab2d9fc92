// Holds the models, off the page's thread. LiteRT.js loads its scripts by importScripts, so this is
// a classic worker; prepare.py made its module, since workers know no import maps.

const LITERT = "./node_modules/@litertjs/core";

const loading = Promise.all([
  import("./client/index.js"),
  import(`${LITERT}/dist/in_workers.js`),
]).catch(() => {
  throw new Error('LiteRT.js is not installed: type "make web".');
});
loading.catch(() => {}); // open tells it
const models = [];

const calls = {
  /** Opens a file, given by its address or its bytes, and tells what it is. */
  async open({ source, name }) {
    const [{ load }, litert] = await loading;
    const bytes = typeof source === "string" ? await download(source, name) : source;
    const wasm = new URL(`${LITERT}/wasm/`, self.base);
    const model = await load(bytes, { litert, wasm, name });
    return {
      id: models.push(model) - 1,
      architecture: model.architecture,
      bytes: bytes.byteLength,
    };
  },

  /** Answers texts; the time is from the text to the answer. */
  async ask({ id, texts }) {
    const start = performance.now();
    const answer = await models[id].predict(...texts);
    return { answer, milliseconds: performance.now() - start };
  },

  close: ({ id }) => models[id].close(),
};

async function download(address, name) {
  const response = await fetch(address);
  if (!response.ok)
    throw new Error(`There is no file '${name}': type "make web", or choose a file.`);
  return response.arrayBuffer();
}

addEventListener("message", async ({ data: { number, call, values } }) => {
  try {
    postMessage({ number, result: await calls[call](values) });
  } catch (error) {
    postMessage({ number, error: error.message });
  }
});
