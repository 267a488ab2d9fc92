import type { Answer, Model } from "./types.js";

export * from "./types.js";

export interface LoadOptions {
  /** The folder of LiteRT.js's WebAssembly; by default that of the installed package. */
  wasm?: string | URL;
  /** What computes: by default "wasm", the processor. */
  accelerator?: "wasm" | "webgpu" | "webnn";
  /** Stops the download. */
  signal?: AbortSignal;
}

/**
 * Opens a file in a browser or a worker, by LiteRT.js. It must be of fixed lengths.
 *
 * @param source its address, or its content
 * @throws {Error} there is no such file, or it can not be run
 */
export function load<A = Answer>(
  source: string | URL | ArrayBuffer | Uint8Array,
  options?: LoadOptions,
): Promise<Model<A>>;
