// Makes files of fixed length from one of free length, for runners that can not resize inputs.

import { Table } from "./signatures.js";

/** @import { Signature } from "../types.js" */

const SHORTEST = 16;

/**
 * Signatures of fixed lengths in place of one of free length: 16, 24, 32, 48, 64, 96, ..., up to
 * the model's own. A text is then padded by a fifth on average.
 * @param {Signature} free
 * @param {number} most
 * @returns {Signature[]}
 */
export function atEachLength(free, most) {
  const lengths = [];
  for (let length = SHORTEST; length < most; length *= 2) lengths.push(length, 1.5 * length);
  const used = [...lengths.filter((length) => length < most), most];
  return used.map((length) => ({ ...free, length }));
}

/**
 * A copy of a file, in which the inputs and outputs of a graph have the signature's length. All
 * sizes between these follow from them when a runner allocates its memory.
 * @param {Uint8Array} bytes
 * @param {Signature} signature
 */
export function withLength(bytes, { graph, length }) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const subgraph = new Table(view, view.getUint32(0, true)).tables(2)[graph];
  const tensors = subgraph.tables(0);
  for (const index of [...subgraph.numbers(1), ...subgraph.numbers(2)]) {
    const sizes = tensors[index].places(0);
    tensors[index].places(7).forEach((place, axis) => {
      if (view.getInt32(place, true) >= 0) return; // not the free axis, which has -1
      for (const each of [place, sizes[axis]]) view.setInt32(each, Number(length), true);
    });
  }
  return copy;
}
