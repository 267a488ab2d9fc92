// The files in the zip behind a .tflite: config, labels and vocabulary.

const END = 0x06054b50; // marks of a zip's records, and their sizes
const END_SIZE = 22;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
const LOCAL_SIZE = 30;

/**
 * The text files that a .tflite carries, by name. They are stored, not compressed.
 * @param {Uint8Array} bytes
 * @param {string} name of the file, for errors
 * @returns {Record<string, string>}
 */
export function readBundle(bytes, name) {
  try {
    return readZip(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    throw new Error(
      `'${name}' carries no config.json: it is damaged, or not a .tflite that this package ` +
        "exported.",
    );
  }
}

/** @param {DataView} view */
function readZip(view) {
  const end = view.byteLength - END_SIZE;
  const size = view.getUint32(end + 12, true);
  ensure(view.getUint32(end, true) === END && end >= size);
  // A zip that was made separately counts from its own start.
  const shift = end - size - view.getUint32(end + 16, true);
  /** @type {Record<string, string>} */
  const files = {};
  for (let entry = end - size; entry < end;) {
    ensure(view.getUint32(entry, true) === ENTRY && view.getUint16(entry + 10, true) === 0);
    const length = view.getUint16(entry + 28, true);
    const local = view.getUint32(entry + 42, true) + shift;
    const head = view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const name = textAt(view, entry + ENTRY_SIZE, length);
    if (/\.(json|txt)$/.test(name)) {
      files[name] = textAt(view, local + LOCAL_SIZE + head, view.getUint32(entry + 24, true));
    }
    entry +=
      ENTRY_SIZE + length + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  ensure("config.json" in files);
  return files;
}

/**
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 */
const textAt = (view, start, length) =>
  new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + start, length));

/** @param {boolean} condition */
function ensure(condition) {
  if (!condition) throw new Error();
}
