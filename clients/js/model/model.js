// A model: text in, answer out.

import { checkText, ensure } from "../core/checks.js";
import { readFile } from "./file.js";
import { Graph } from "./graph.js";

/**
 * @import { ModelFile, Outputs, Runner } from "../types.js"
 * @typedef {Record<string, any>} Options
 */

/**
 * Opens a file.
 * @param {Uint8Array} bytes
 * @param {string} name for errors
 * @param {(bytes: Uint8Array, file: ModelFile) => Runner | Promise<Runner>} createRunner
 */
export async function openModel(bytes, name, createRunner) {
  const file = readFile(bytes, name);
  return new Model(file, await createRunner(bytes, file));
}

export class Model {
  #file;
  #graph;

  /**
   * @param {import("./file.js").ReadFile} file
   * @param {Runner} runner
   */
  constructor(file, runner) {
    this.architecture = file.architecture;
    this.config = file.config;
    this.labels = file.labels;
    this.#graph = new Graph(runner, runner.signatures ?? file.signatures, file.config);
    this.maxLength = this.#graph.maxLength;
    this.#file = { ...file, maxLength: this.maxLength };
  }

  /**
   * @param {any} text
   * @param {any[]} others
   */
  async predict(text, ...others) {
    const { signal, ...options } = isOptions(others[others.length - 1]) ? others.pop() : {};
    const { title, options: known = [] } = this.#file.task;
    const unknown = Object.keys(options).filter((name) => !known.includes(name));
    ensure(!unknown.length, `${title} has no option ${unknown.sort().join(", ")}.`);
    if (Array.isArray(text)) {
      const examples = examplesOf([text, ...others], this.#file.task.takesWords);
      return this.#answers(examples, options, signal);
    }
    ensure(typeof text === "string", `Expected a text or a list of texts, not ${typeof text}.`);
    const columns = [text, ...others].map((each) => [each]);
    const [answer] = await this.#answers(examplesOf(columns), options, signal);
    return answer;
  }

  /**
   * @param {any[][]} examples the texts of each
   * @param {Options} options
   * @param {AbortSignal} [signal]
   */
  async #answers(examples, options, signal) {
    const rows = examples.map((texts) => this.#file.task.rows(texts, this.#file, options));
    const parts = await this.#read(rows.flat(), options, signal);
    const { answer = ([part]) => part } = this.#file.task;
    return examples.map((texts, i) => ({
      ...answer(parts.splice(0, rows[i].length), texts, options),
      ...(rows[i].some((row) => row.truncated) && { truncated: true }),
    }));
  }

  /**
   * What the task reads of the outputs for each row.
   * @param {import("../types.js").Row[]} rows
   * @param {Options} options
   * @param {AbortSignal} [signal]
   */
  async #read(rows, options, signal) {
    const parts = [];
    for await (const outputs of this.#graph.run(rows, signal)) {
      checkFinite(outputs);
      parts.push(this.#file.task.read(outputs, rows[parts.length], this.#file, options));
    }
    return parts;
  }

  /**
   * @param {string} text
   * @param {string} [pair]
   */
  tokenize(text, pair) {
    const { tokenizer } = this.#file;
    const texts = pair === undefined ? [text] : [text, pair];
    texts.forEach(checkText);
    const encoded = texts.map((each) => tokenizer.encode(each));
    const row = tokenizer.truncated(this.maxLength, encoded);
    const { tokens, input_ids, token_type_ids, truncated = false } = row;
    return {
      input_ids,
      token_type_ids,
      offsets: tokens.map(({ start, end }) => [start, end]),
      word_ids: tokens.map(({ word }) => word ?? null),
      truncated,
    };
  }

  /** @param {{ rounds?: number, half?: boolean }} [options] */
  async selfTest(options = {}) {
    const { selfTest } = await import("./self_test.js"); // which not every page needs
    return selfTest(this.#file, this.#graph, options);
  }

  close() {
    return this.#graph.close();
  }
}

/** @param {any} value */
const isOptions = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Each example's texts, from the first texts of all, the second texts of all, and so on.
 * @param {any[][]} columns
 * @param {boolean} [takesWords] whether a text may be a list of words
 */
function examplesOf(columns, takesWords = false) {
  const [first] = columns;
  for (const column of columns) {
    ensure(Array.isArray(column), `Expected a text or a list of texts, not ${typeof column}.`);
    ensure(
      column.length === first.length,
      `The first list holds ${first.length} texts and another ${column.length}: pass lists of ` +
        "equal length.",
    );
    for (const text of column) {
      (takesWords && Array.isArray(text) ? text : [text]).forEach(checkText);
    }
  }
  return first.map((_, i) => columns.map((column) => column[i]));
}

/** @param {Outputs} outputs */
function checkFinite(outputs) {
  for (const [name, values] of Object.entries(outputs)) {
    let sum = 0;
    for (const value of values) sum += 0 * value; // NaN if a value is not finite
    ensure(
      sum === 0,
      `The model's ${name} hold NaN or infinity: its weights are damaged, or the numbers it ` +
        "computes with overflow. Run it in float32, or load its weights again.",
    );
  }
}
