// Golden examples: inputs with the exported model's outputs, by which a file can test itself.

import { ensure } from "../core/checks.js";
import { checkRow } from "./graph.js";
import { parseObject, readPart } from "./parts.js";

/**
 * @import { Outputs, Row, SelfTest } from "../types.js"
 * @import { ReadFile } from "./file.js"
 * @import { Graph } from "./graph.js"
 * @typedef {{ spread: number, tolerance: number, half_tolerance: number }} Limit
 * @typedef {{ entries: number[], values: number[] }} Wanted the values at some entries of an output
 * @typedef {object} Example
 * @property {number[]} input_ids
 * @property {number[]} [token_type_ids]
 * @property {Record<string, Wanted>} outputs
 *
 * @typedef {{ outputs: Record<string, Limit>, examples: Example[] }} Golden
 */

const GOLDEN = "golden.json";

/**
 * Runs the examples in turn, several times, and compares each round with the model's outputs.
 * @param {ReadFile} file
 * @param {Graph} graph
 * @param {{ rounds?: number, half?: boolean }} options
 * @returns {Promise<SelfTest>}
 */
export async function selfTest(file, graph, { rounds = 1, half = false }) {
  const isCount = Number.isInteger(rounds) && rounds >= 1;
  ensure(isCount, `rounds must be a whole number of 1 or more, not ${JSON.stringify(rounds)}.`);
  const { outputs: limits, examples } = readGolden(file);
  const rows = examples.map(rowOf);
  /** @type {<T>(use: () => T) => T} */
  const checked = (use) => readPart(GOLDEN, file.name, use, "can not be run");
  checked(() => rows.forEach((row) => checkFits(row, file, graph)));
  /** @type {Record<string, number[]>} */
  const errors = Object.fromEntries(Object.keys(limits).map((name) => [name, []]));
  const times = examples.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < rounds; round++) {
    const computed = await runAll(rows, graph, times);
    for (const [name, limit] of Object.entries(limits)) {
      const error = checked(() => errorOf(name, examples, computed));
      errors[name].push(error / limit.spread);
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

/** @param {ReadFile} file */
function readGolden({ files, name }) {
  ensure(
    GOLDEN in files,
    `'${name}' carries no golden examples, by which a file can test itself: export it again, ` +
      "without golden=False.",
  );
  return readPart(GOLDEN, name, () => {
    const golden = /** @type {Golden} */ (parseObject(files[GOLDEN]));
    checkGolden(golden);
    return golden;
  });
}

/**
 * Refuses damaged examples: a field that is missing or of another type is an error here.
 * @param {Golden} golden
 */
function checkGolden({ outputs: limits, examples }) {
  const names = Object.keys(limits);
  ensure(names.length && examples.length, "it names no outputs, or no examples");
  for (const { spread, tolerance, half_tolerance } of Object.values(limits)) {
    const isAbove = [spread, tolerance, half_tolerance].every((limit) => limit > 0);
    ensure(isAbove, "a spread or tolerance is not above 0");
  }
  for (const { input_ids: ids, token_type_ids: types = ids, outputs } of examples) {
    const isRow = areWhole(ids) && areWhole(types) && types.length === ids.length;
    ensure(isRow, "an example has no tokens");
    for (const { entries, values } of names.map((name) => outputs[name])) {
      const arePlaces = areWhole(entries) && Math.min(...entries) >= 0;
      const areNumbers = values.every(Number.isFinite) && values.length === entries.length;
      ensure(arePlaces && areNumbers, "entries and values do not go together");
    }
  }
}

/** @param {number[]} list */
const areWhole = (list) => list.length > 0 && list.every(Number.isInteger);

/**
 * @param {Example} example
 * @returns {Row}
 */
const rowOf = ({ input_ids, token_type_ids = input_ids.map(() => 0) }) => ({
  tokens: [],
  input_ids,
  token_type_ids,
});

/**
 * @param {Row} row
 * @param {ReadFile} file
 * @param {Graph} graph
 */
function checkFits(row, { config }, { maxLength }) {
  checkRow(row, config);
  const { length } = row.input_ids;
  ensure(length <= maxLength, `it has ${length} tokens, the file takes at most ${maxLength}`);
}

/**
 * @param {Row[]} rows
 * @param {Graph} graph
 * @param {number[][]} times of each row, to which this adds one
 */
async function runAll(rows, graph, times) {
  /** @type {Outputs[]} */
  const computed = [];
  for (const [i, row] of rows.entries()) {
    const start = performance.now();
    for await (const outputs of graph.run([row])) computed.push(outputs);
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
    const { [name]: output } = computed[i];
    ensure(
      Math.max(...entries) < output.length,
      `it wants number ${Math.max(...entries)} of an output of ${output.length}`,
    );
    return entries.map((entry, k) => (output[entry] - values[k]) ** 2);
  });
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
}

/** @param {number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
