// Makes files of fixed length from one of free length, for runners that can not resize inputs.

import { Table } from "./signatures.js";

/** @import { Signature } from "../types.js" */

const SHORTEST = 16;

/**
 * Signatures of doubling lengths, up to the model's own, in place of one of free length.
 * @param {Signature} free
 * @param {number} most
 * @returns {(Signature & { batch: number, length: number })[]}
 */
export function atEachLength(free, most) {
  const lengths = [most];
  for (let length = SHORTEST; length < most; length *= 2) lengths.splice(-1, 0, length);
  return lengths.map((length) => ({ ...free, batch: free.batch ?? 1, length }));
}

/**
 * A copy of a file, in which the inputs and outputs of a graph have the signature's batch and
 * length. All sizes between these follow from them when a runner allocates its memory.
 * @param {Uint8Array} bytes
 * @param {{ graph: number, batch: number, length: number }} signature
 */
export function withLength(bytes, { graph, batch, length }) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const subgraph = new Table(view, view.getUint32(0, true)).tables(2)[graph];
  const tensors = subgraph.tables(0);
  for (const index of [...subgraph.numbers(1), ...subgraph.numbers(2)]) {
    const sizes = tensors[index].places(0);
    tensors[index].places(7).forEach((place, axis) => {
      if (view.getInt32(place, true) >= 0) return; // not -1, which a free axis has
      for (const each of [place, sizes[axis]]) view.setInt32(each, axis ? length : batch, true);
    });
  }
  return copy;
}
