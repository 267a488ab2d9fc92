// A model: text in, answer out.

import { checkText, require } from "../core/checks.js";
import { readFile } from "./file.js";
import { Graph } from "./graph.js";

/**
 * @import { ModelFile, Runner } from "../types.js"
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
  #graph;
  #task;
  #context;

  /**
   * @param {import("./file.js").ReadFile} file
   * @param {Runner} runner
   */
  constructor(file, runner) {
    this.architecture = file.architecture;
    this.config = file.config;
    this.labels = file.labels;
    this.#task = file.task;
    this.#graph = new Graph(runner, runner.signatures ?? file.signatures, file.config);
    this.maxLength = this.#graph.maxLength;
    this.#context = { ...file, maxLength: this.maxLength };
  }

  /**
   * @param {any} text
   * @param {any[]} others
   */
  async predict(text, ...others) {
    const { signal, ...options } = isOptions(others[others.length - 1]) ? others.pop() : {};
    const { title, options: known = [] } = this.#task;
    const unknown = Object.keys(options).filter((name) => !known.includes(name));
    require(!unknown.length, `${title} has no option ${unknown.sort().join(", ")}.`);
    if (Array.isArray(text)) {
      const examples = examplesOf([text, ...others], this.#task.takesWords);
      return this.#answers(examples, options, signal);
    }
    require(typeof text === "string", `Expected a text or a list of texts, not a ${typeof text}.`);
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
    const rows = examples.map((texts) => this.#task.rows(texts, this.#context, options));
    const parts = await this.#read(rows.flat(), options, signal);
    const { answer = ([part]) => part } = this.#task;
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
      parts.push(this.#task.read(outputs, rows[parts.length], this.#context, options));
    }
    return parts;
  }

  /**
   * @param {string} text
   * @param {string} [pair]
   */
  tokenize(text, pair) {
    const { tokenizer } = this.#context;
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

  close() {
    return this.#graph.close();
  }
}

/** @param {any} value */
const isOptions = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Each example's texts, from the first texts of all, the second texts of all, and so on.
 * @param {any[][]} columns
 * @param {boolean} [takesWords] whether a text may be a list of words
 */
function examplesOf(columns, takesWords = false) {
  const [first] = columns;
  for (const column of columns) {
    require(Array.isArray(column), `Expected a text or a list of texts, not a ${typeof column}.`);
    require(
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
