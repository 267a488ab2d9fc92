import type { Answer, Model } from "./types.js";

export * from "./types.js";

export interface LoadOptions {
  /**
   * What computes: "native", the library of LiteRT, or "wasm", LiteRT.js, for files of fixed
   * lengths. By default the library if there is one.
   */
  runner?: "native" | "wasm";
}

/**
 * Opens a file in Node.
 *
 * @param source its path or file: URL, or its content
 * @throws {Error} there is no such file, or it can not be run
 */
export function load<A = Answer>(
  source: string | URL | ArrayBuffer | Uint8Array,
  options?: LoadOptions,
): Promise<Model<A>>;
