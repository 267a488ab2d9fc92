import { readFile } from "node:fs/promises";

/**
 * The content of a file.
 * @param {string | URL} path
 */
export async function readPath(path) {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Error(code === "ENOENT" ? `There is no file '${path}': check the path.` : message);
  }
}
