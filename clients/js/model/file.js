// What a .tflite of this package says about itself: its config, labels, tokenizer and signatures.

import { ensure } from "../core/checks.js";
import { TASKS } from "../core/tasks/index.js";
import { Tokenizer } from "../core/tokenizer.js";
import { readBundle } from "./bundle.js";
import { readSignatures } from "./signatures.js";

/** @typedef {ReturnType<typeof readFile>} ReadFile */

const FORMAT = 1; // of docs/file-format.md
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"];

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
  ensureOwn(Object.hasOwn(TASKS, architecture), name, `holds a model of class '${architecture}'`);
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
  const maxLength = signatures.at(-1)?.length ?? config.max_position_embeddings;
  const file = {
    ...{ name, files, signatures, config, architecture, labels, maxLength },
    ...{ task, tokenizer },
  };
  ensureOwn(signatures.length, name, "has no signature");
  checkEnds(file);
  return file;
}

/**
 * @param {unknown} condition
 * @param {string} name of the file
 * @param {string} fault what it is or does
 */
function ensureOwn(condition, name, fault) {
  ensure(
    condition,
    `'${name}' was not exported by this package, or is damaged: export it again (it ${fault}).`,
  );
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
 * Refuses inputs and outputs that are not what the config says.
 * @param {ReadFile} file
 */
function checkEnds({ name, signatures, config, labels, task }) {
  const sizes = task.outputs(config, labels);
  for (const { inputs, outputs } of signatures) {
    const takes = [...inputs].sort().join(", ");
    const isOwn = takes === [...INPUTS].sort().join(", ");
    ensureOwn(isOwn, name, `takes ${takes}, not ${INPUTS.join(", ")}`);
    for (const { name: output, size } of outputs) {
      const wanted = sizes[output];
      const fault = `returns ${output} of ${size} numbers, but its config says ${wanted}`;
      ensureOwn(output in sizes && size === (wanted ?? size), name, fault);
    }
  }
}
