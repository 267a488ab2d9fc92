// What a .tflite of this package says about itself: its config, labels, tokenizer and signatures.

import { readBundle } from "./bundle.js";
import { ensure } from "../core/checks.js";
import { readSignatures } from "./signatures.js";
import { TASKS } from "../core/tasks/index.js";
import { Tokenizer } from "../core/tokenizer.js";

/** @typedef {ReturnType<typeof readFile>} ReadFile */

const FORMAT = 1; // the newest form of a file that this client knows

/**
 * Reads all of a file but its weights.
 * @param {Uint8Array} bytes
 * @param {string} name of the file, for errors
 */
export function readFile(bytes, name) {
  const signatures = readSignatures(bytes, name);
  const files = readBundle(bytes, name);
  const config = readJson(files, "config.json", name);
  const { file_format: format = FORMAT } = config;
  ensure(
    format === FORMAT,
    `'${name}' has the file format ${format}, and this version of the package knows only ` +
      `${FORMAT}: install a newer one, or export the file again.`,
  );
  const [architecture] = config.architectures ?? [];
  ensure(
    Object.hasOwn(TASKS, architecture),
    `'${name}' was not exported by this package, or is damaged: export it again (it holds a ` +
      `model of class '${architecture}').`,
  );
  ensure(
    "vocab.txt" in files,
    "The model came without a tokenizer: export it again with the tokenizer it was trained with.",
  );
  const task = TASKS[architecture];
  const tokenizer = new Tokenizer(
    files["vocab.txt"],
    files["tokenizer_config.json"] ? readJson(files, "tokenizer_config.json", name) : {},
  );
  ensure(
    tokenizer.ids.size === tokenizer.tokens.length,
    `The vocab.txt in '${name}' is damaged, or not from this package: export the file again (it ` +
      "holds a token twice).",
  );
  const names = config.id2label ?? {};
  const labels = Object.keys(names).map((_, i) => names[i]);
  const maxLength = signatures[signatures.length - 1].length ?? config.max_position_embeddings;
  const file = {
    ...{ name, files, signatures, config, architecture, labels, maxLength },
    ...{ task, tokenizer },
  };
  checkOutputs(file);
  return file;
}

/**
 * @param {Record<string, string>} files
 * @param {string} part
 * @param {string} name
 * @returns {any}
 */
export function readJson(files, part, name) {
  try {
    return JSON.parse(files[part]);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error(
      `The ${part} in '${name}' is damaged, or not from this package: export the file again ` +
        `(${message}).`,
    );
  }
}

/**
 * Refuses outputs that are not what the config says.
 * @param {ReadFile} file
 */
function checkOutputs({ name, signatures, config, labels, task }) {
  const sizes = task.outputs(config, labels);
  for (const { outputs } of signatures) {
    for (const { name: output, size } of outputs) {
      ensure(
        output in sizes && size === (sizes[output] ?? size),
        `'${name}' was not exported by this package, or is damaged: export it again (it returns ` +
          `${output} of ${size} numbers, but its config says ${sizes[output]}).`,
      );
    }
  }
}
