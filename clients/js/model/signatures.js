// The signatures of a .tflite: names, and the lengths of the texts that they take.

import { ensure } from "../core/checks.js";
import { textAt } from "./bundle.js";

/** @import { Signature } from "../types.js" */

const TFL3 = 0x334c4654;

/**
 * @param {DataView} view of the whole file
 * @param {string} name of the file, for errors
 * @returns {Signature[]} those that take the shortest texts first
 */
export function readSignatures(view, name) {
  const isModel = view.byteLength >= 8 && view.getUint32(4, true) === TFL3;
  ensure(isModel, `'${name}' is not a .tflite file.`);
  try {
    const model = new Table(view, view.getUint32(0, true));
    const graphs = model.tables(2);
    const signatures = model.tables(7).map((signature, index) => {
      const graph = signature.number(4);
      return { index, graph, ...readSignature(signature, graphs[graph]) };
    });
    return signatures.sort((a, b) => (a.length ?? 0) - (b.length ?? 0));
  } catch {
    throw new Error(`'${name}' is cut off or damaged: copy or export it again.`);
  }
}

/**
 * @param {Table} signature
 * @param {Table} graph
 */
function readSignature(signature, graph) {
  const tensors = graph.tables(0);
  const [inputs, outputs] = [0, 1].map((side) => {
    const maps = signature
      .tables(side)
      .map((map) => ({ name: map.text(0), tensor: map.number(1) }));
    return graph.numbers(1 + side).map((tensor) => {
      const name = maps.find((map) => map.tensor === tensor)?.name ?? "";
      return { name, shape: shapeOf(tensors[tensor]) };
    });
  });
  const [batch, length] = inputs[0].shape.map((size) => (size < 0 ? undefined : size));
  return {
    key: signature.text(2),
    batch,
    length,
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name, shape }) => ({ name, size: shape[shape.length - 1] })),
  };
}

/** @param {Table} tensor */
function shapeOf(tensor) {
  const free = tensor.numbers(7); // with -1 for a free axis, if there is one
  return free.length ? free : tensor.numbers(0);
}

/** A table of a flatbuffer, whose fields are found through a list of their offsets. */
export class Table {
  /**
   * @param {DataView} view
   * @param {number} start
   */
  constructor(view, start) {
    this.view = view;
    this.start = start;
    this.fields = start - view.getInt32(start, true);
  }

  /** The place of a field; 0 if the table lacks it. */
  #place(/** @type {number} */ field) {
    const place = 4 + 2 * field;
    const has = place < this.view.getUint16(this.fields, true);
    const offset = has ? this.view.getUint16(this.fields + place, true) : 0;
    return offset && this.start + offset;
  }

  /** The places of a vector's elements, 4 bytes each. */
  places(/** @type {number} */ field) {
    const place = this.#place(field);
    if (!place) return [];
    const vector = place + this.view.getUint32(place, true);
    const count = this.view.getUint32(vector, true);
    if (vector + 4 * count > this.view.byteLength) throw new RangeError();
    return Array.from({ length: count }, (_, i) => vector + 4 * (i + 1));
  }

  number(/** @type {number} */ field) {
    const place = this.#place(field);
    return place && this.view.getInt32(place, true);
  }

  numbers(/** @type {number} */ field) {
    return this.places(field).map((place) => this.view.getInt32(place, true));
  }

  tables(/** @type {number} */ field) {
    const { view } = this;
    return this.places(field).map((place) => new Table(view, place + view.getUint32(place, true)));
  }

  text(/** @type {number} */ field) {
    const place = this.#place(field);
    const start = place + this.view.getUint32(place, true);
    const length = this.view.getUint32(start, true);
    return textAt(this.view, start + 4, length);
  }
}
