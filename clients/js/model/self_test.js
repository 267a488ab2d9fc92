// Golden examples: inputs with the exported model's outputs, by which a file can test itself.

import { ensure } from "../core/checks.js";
import { readJson } from "./file.js";

/**
 * @import { Outputs, SelfTest } from "../types.js"
 * @import { ReadFile } from "./file.js"
 * @import { Graph } from "./graph.js"
 * @typedef {{ spread: number, tolerance: number, half_tolerance: number }} Limit
 * @typedef {object} Example
 * @property {number[]} input_ids
 * @property {number[]} [token_type_ids]
 * @property {Record<string, { entries: number[], values: number[] }>} outputs
 */

/**
 * Runs the examples in turn, several times, and compares each round with the model's outputs.
 * @param {ReadFile} file
 * @param {Graph} graph
 * @param {number} rounds
 * @param {boolean} half whether the runner computes in float16
 * @returns {Promise<SelfTest>}
 */
export async function selfTest(file, graph, rounds, half) {
  ensure(
    "golden.json" in file.files,
    `'${file.name}' carries no golden examples, by which a file can test itself: export it ` +
      "again, without golden=False.",
  );
  /** @type {{ outputs: Record<string, Limit>, examples: Example[] }} */
  const { outputs: limits, examples } = readJson(file.files, "golden.json", file.name);
  /** @type {Record<string, number[]>} */
  const errors = Object.fromEntries(Object.keys(limits).map((name) => [name, []]));
  const times = examples.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < rounds; round++) {
    const computed = await runAll(examples, graph, times);
    for (const [name, limit] of Object.entries(limits)) {
      errors[name].push(errorOf(name, examples, computed) / limit.spread);
    }
  }
  const worst = Object.entries(limits).map(([name, limit]) => {
    const tolerance = half ? limit.half_tolerance : limit.tolerance;
    // NaN is wrong.
    const error = errors[name].every((x) => x <= Infinity) ? Math.max(...errors[name]) : Infinity;
    return { error, tolerance };
  });
  worst.sort((a, b) => b.error / b.tolerance - a.error / a.tolerance);
  return {
    right: worst.every(({ error, tolerance }) => error <= tolerance),
    ...worst[0],
    tokens: examples.map(({ input_ids }) => input_ids.length),
    milliseconds: times.map(median),
  };
}

/**
 * @param {Example[]} examples
 * @param {Graph} graph
 * @param {number[][]} times of each example, to which this adds one
 */
async function runAll(examples, graph, times) {
  /** @type {Outputs[]} */
  const computed = [];
  for (const [i, { input_ids, token_type_ids = input_ids.map(() => 0) }] of examples.entries()) {
    const start = performance.now();
    for await (const outputs of graph.run([{ tokens: [], input_ids, token_type_ids }])) {
      computed.push(outputs);
    }
    times[i].push(performance.now() - start);
  }
  return computed;
}

/**
 * The root mean square of an output's errors over all examples.
 * @param {string} name
 * @param {Example[]} examples
 * @param {Outputs[]} computed
 */
function errorOf(name, examples, computed) {
  const squares = examples.flatMap(({ outputs }, i) => {
    const { entries, values } = outputs[name];
    return entries.map((entry, k) => (computed[i][name][entry] - values[k]) ** 2);
  });
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
