// What a .tflite of this package says about itself: its config, labels, tokenizer and signatures.

import { ensure } from "../core/checks.js";
import { TASKS } from "../core/tasks/index.js";
import { readBundle } from "./bundle.js";
import { parseObject, readPart } from "./parts.js";
import { readSignatures } from "./signatures.js";
import { readTokenizer } from "./tokenizer.js";

/** @typedef {ReturnType<typeof readFile>} ReadFile */

const FORMAT = 1; // of docs/file-format.md
const SIZES = ["vocab_size", "type_vocab_size", "hidden_size", "max_position_embeddings"];
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"];

/**
 * Reads all of a file but its weights.
 * @param {Uint8Array} bytes
 * @param {string} name of the file, for errors
 */
export function readFile(bytes, name) {
  const files = readBundle(bytes, name);
  const config = readPart("config.json", name, () => parseObject(files["config.json"]));
  const { file_format: format = FORMAT } = config;
  ensure(
    format === FORMAT,
    `'${name}' has the file format ${format}, and this version of the package knows only ` +
      `${FORMAT}: install a newer one, or export the file again.`,
  );
  readPart("config.json", name, () => checkTypes(config));
  const architecture = architectureIn(config, name);
  const signatures = readSignatures(bytes, name);
  ensureOwn(Object.hasOwn(TASKS, architecture), name, `holds a model of class '${architecture}'`);
  ensureOwn(signatures.length, name, "has no signature");
  const names = config.id2label ?? {};
  const labels = Object.keys(names).map((_, i) => names[i]);
  const maxLength = signatures[signatures.length - 1].length ?? config.max_position_embeddings;
  const task = TASKS[architecture];
  const parts = { name, files, signatures, config, architecture, labels, maxLength, task };
  checkEnds(parts);
  return { ...parts, tokenizer: readTokenizer(files, name) };
}

/** @param {Record<string, any>} config */
function checkTypes(config) {
  ensure(Array.isArray(config.architectures ?? []), "its architectures are not a list");
  for (const size of SIZES) {
    const { [size]: value } = config;
    ensure(Number.isInteger(value) && value > 0, `its ${size} is ${JSON.stringify(value)}`);
  }
}

/**
 * @param {Record<string, any>} config
 * @param {string} name of the file
 * @returns {string}
 */
function architectureIn({ architectures: names }, name) {
  ensure(
    names?.length === 1,
    `The config.json in '${name}' is damaged, or not from this package: it does not name the ` +
      "class of its model. Export the file again.",
  );
  return names[0];
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
 * Refuses inputs and outputs that are not what the config says.
 * @param {Omit<ReadFile, "tokenizer">} file
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
