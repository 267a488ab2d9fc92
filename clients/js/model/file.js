// What a .tflite of this package says about itself: its config, labels, tokenizer and signatures.

import { ensure } from "../core/checks.js";
import { TASKS } from "../core/tasks/index.js";
import { readBundle } from "./bundle.js";
import { parseObject, readPart } from "./parts.js";
import { readSignatures } from "./signatures.js";
import { INPUTS, readTokenizer } from "./tokenizer.js";

/** @typedef {ReturnType<typeof readFile>} ReadFile */

const FORMAT = 1; // of docs/file-format.md
const PROBLEM = /^(regression|(single|multi)_label_classification)$/;
const SIZES = ["vocab_size", "type_vocab_size", "hidden_size", "max_position_embeddings"];

/**
 * Reads all of a file but its weights.
 * @param {Uint8Array} bytes
 * @param {string} name of the file, for errors
 */
export function readFile(bytes, name) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = readBundle(view, name);
  const config = readPart("config.json", name, () => parseObject(files["config.json"]));
  const { file_format: format = FORMAT } = config;
  ensure(
    format === FORMAT,
    `'${name}' has the file format ${format}, and this version of the package knows only ` +
      `${FORMAT}: install a newer one, or export the file again.`,
  );
  readPart("config.json", name, () => checkTypes(config));
  const [architecture, ...others] = config.architectures ?? [];
  ensure(
    architecture && !others.length,
    `The config.json in '${name}' is damaged, or not from this package: it does not name the ` +
      "class of its model. Export the file again.",
  );
  const signatures = readSignatures(view, name);
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
  const { architectures, problem_type: problem } = config;
  ensure(Array.isArray(architectures ?? []), `its architectures are ${architectures}`);
  ensure(PROBLEM.test(problem ?? "regression"), `its problem_type is ${problem}`);
  for (const size of SIZES) {
    const { [size]: value } = config;
    ensure(Number.isInteger(value) && value > 0, `its ${size} is ${value}`);
  }
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
    ensureOwn(takes === INPUTS.join(", "), name, `takes ${takes}`);
    for (const { name: output, size } of outputs) {
      const wanted = sizes[output];
      const fault = `returns ${output} of ${size} numbers, but its config says ${wanted}`;
      ensureOwn(output in sizes && size === (wanted ?? size), name, fault);
    }
  }
}
