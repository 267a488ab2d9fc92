// What a .tflite of this package says about itself.

import { readBundle } from "./bundle.js";
import { require } from "./checks.js";
import { readSignatures } from "./signatures.js";
import { TASKS } from "./tasks/task.js";
import { Tokenizer } from "./tokenizer.js";

/**
 * @import { ModelFile } from "../types.js"
 */

/**
 * Reads all but the weights of a file.
 * @param {Uint8Array} bytes
 * @param {string} name of the file, for errors
 * @returns {ModelFile}
 */
export function readFile(bytes, name) {
  const signatures = readSignatures(bytes, name);
  const files = readBundle(bytes, name);
  const config = readJson(files, "config.json", name);
  const [architecture, ...others] = config.architectures ?? [];
  require(
    typeof architecture === "string" && !others.length,
    `The config.json in '${name}' is damaged, or not from this package: it does not name the ` +
      "class of its model. Export the file again.",
  );
}
