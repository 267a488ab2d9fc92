// The files in the zip behind a .tflite: config, labels and vocabulary.

import { ensure } from "../core/checks.js";

const END = 0x06054b50; // marks of a zip's records, and their sizes
const END_SIZE = 22;
const ENTRY = 0x02014b50;
const ENTRY_SIZE = 46;
const LOCAL_SIZE = 30;
const DAMAGED = "ends in a damaged directory of files";

/**
 * The text files that a .tflite carries, by name. They are stored, not compressed.
 * @param {DataView} view of the whole file
 * @param {string} name of the file, for errors
 */
export function readBundle(view, name) {
  const end = view.byteLength - END_SIZE;
  const hasEnd = end >= 0 && view.getUint32(end, true) === END;
  const lacks = `'${name}' carries no config.json: `;
  ensure(hasEnd, `${lacks}it is damaged, or not a .tflite that this package exported.`);
  /** @type {Record<string, string>} */
  const files = {};
  try {
    readZip(view, end, files);
  } catch (error) {
    const fault = error instanceof RangeError ? DAMAGED : /** @type {Error} */ (error).message;
    throw new Error(`'${name}' ${fault}: this package did not export it like this.`);
  }
  ensure("config.json" in files, `${lacks}this package did not export it.`);
  return files;
}

/**
 * Reads the text files of a zip. Errors are predicates, or of what lies beyond the file's end.
 * @param {DataView} view
 * @param {number} end the place of the zip's last record
 * @param {Record<string, string>} files to which this adds them
 */
function readZip(view, end, files) {
  let entry = end - view.getUint32(end + 12, true);
  // A zip that was made separately counts from its own start.
  const shift = entry - view.getUint32(end + 16, true);
  ensure(shift >= 0, DAMAGED);
  while (entry < end) {
    ensure(view.getUint32(entry, true) === ENTRY, DAMAGED);
    const length = view.getUint16(entry + 28, true);
    const name = textAt(view, entry + ENTRY_SIZE, length);
    if (/\.(json|txt)$/.test(name)) {
      ensure(view.getUint16(entry + 10, true) === 0, "carries compressed files");
      const local = view.getUint32(entry + 42, true) + shift;
      const head = view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const start = local + LOCAL_SIZE + head;
      const size = view.getUint32(entry + 24, true);
      const checksum = checksumOf(bytesAt(view, start, size));
      ensure(checksum === view.getInt32(entry + 16, true), `holds a damaged ${name}`);
      files[name] = textAt(view, start, size);
    }
    entry +=
      ENTRY_SIZE + length + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
}

/**
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 */
const bytesAt = (view, start, length) =>
  new Uint8Array(view.buffer, view.byteOffset + start, length);

/**
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 */
export const textAt = (view, start, length) =>
  new TextDecoder().decode(bytesAt(view, start, length));

/** What the CRC-32 makes of each byte. */
const REMAINDERS = Int32Array.from({ length: 256 }, (_, remainder) => {
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 && 0xedb88320);
  return remainder;
});

/**
 * The CRC-32 as a signed number.
 * @param {Uint8Array} bytes
 */
const checksumOf = (bytes) =>
  ~bytes.reduce((sum, byte) => REMAINDERS[(sum ^ byte) & 255] ^ (sum >>> 8), -1);
