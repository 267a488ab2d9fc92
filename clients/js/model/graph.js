// Runs rows of tokens: pads them to a length that the file takes, and takes the outputs apart.

import { ensure } from "../core/checks.js";

/**
 * @import { Outputs, Row, Runner, Signature } from "../types.js"
 */

export class Graph {
  #runner;
  #signatures;
  #config;
  /** The last call of the runner, which takes one at a time. @type {Promise<unknown>} */
  #last = Promise.resolve();
  #isClosed = false;

  /**
   * @param {Runner} runner
   * @param {Signature[]} signatures those that take the shortest texts first
   * @param {Record<string, any>} config
   */
  constructor(runner, signatures, config) {
    this.#runner = runner;
    this.#signatures = signatures;
    this.#config = config;
  }

  /** The number of tokens that a row may have. */
  get maxLength() {
    const { length } = this.#signatures[this.#signatures.length - 1];
    return length ?? this.#config.max_position_embeddings;
  }

  /**
   * Yields the outputs for each row. A file with a fixed batch runs several rows at once.
   * @param {Row[]} rows
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<Outputs>}
   */
  async *run(rows, signal) {
    const size = this.#signatures[0].batch ?? 1;
    for (let start = 0; start < rows.length; start += size) {
      if (signal?.aborted) throw signal.reason ?? new Error("The call was stopped.");
      yield* await this.#runTogether(rows.slice(start, start + size), size);
    }
  }

  /**
   * @param {Row[]} rows
   * @param {number} batch
   */
  async #runTogether(rows, batch) {
    for (const row of rows) checkRow(row, this.#config);
    const longest = Math.max(...rows.map((row) => row.input_ids.length));
    // The shortest that fits; the last one always does.
    const signature = /** @type {Signature} */ (
      this.#signatures.find(({ length = longest }) => length >= longest)
    );
    const length = signature.length ?? longest;
    const inputs = inputsOf(rows, batch, length);
    const outputs = await this.#inTurn(() => this.#runner.run(signature, inputs, [batch, length]));
    return rows.map((_, i) => partOf(outputs, i, batch));
  }

  /**
   * Calls the runner when the calls before have ended.
   * @template T
   * @param {() => T} call
   */
  #inTurn(call) {
    const result = this.#last.then(() => {
      ensure(!this.#isClosed, "The model is closed: load it again.");
      return call();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async close() {
    await this.#last;
    if (!this.#isClosed) this.#runner.close();
    this.#isClosed = true;
  }
}

/**
 * The inputs of a call, padded with zeros.
 * @param {Row[]} rows
 * @param {number} batch
 * @param {number} length
 */
function inputsOf(rows, batch, length) {
  const [input_ids, attention_mask, token_type_ids] = [0, 1, 2].map(
    () => new Int32Array(batch * length),
  );
  rows.forEach((row, i) => {
    input_ids.set(row.input_ids, i * length);
    attention_mask.fill(1, i * length, i * length + row.input_ids.length);
    token_type_ids.set(row.token_type_ids, i * length);
  });
  return { input_ids, attention_mask, token_type_ids };
}

/**
 * A row's part of the outputs for several.
 * @param {Outputs} outputs
 * @param {number} i
 * @param {number} count
 * @returns {Outputs}
 */
function partOf(outputs, i, count) {
  const parts = Object.entries(outputs).map(([name, values]) => {
    const size = values.length / count;
    return [name, values.subarray(i * size, (i + 1) * size)];
  });
  return Object.fromEntries(parts);
}

/**
 * Refuses ids for which the model has no embeddings.
 * @param {Row} row
 * @param {Record<string, any>} config
 */
export function checkRow(row, config) {
  /** @type {["input_ids" | "token_type_ids", string][]} */
  const sizes = [
    ["input_ids", "vocab_size"],
    ["token_type_ids", "type_vocab_size"],
  ];
  for (const [name, size] of sizes) {
    const wrong = row[name].find((id) => id < 0 || id >= config[size]);
    ensure(
      wrong === undefined,
      `${name} holds ${wrong}, but must lie in [0, ${config[size]}), the model's ${size}: was ` +
        "the text tokenized with this model's vocabulary?",
    );
  }
}
