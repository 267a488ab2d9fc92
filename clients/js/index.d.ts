import type { Answer, Model } from "./types.js";

export * from "./types.js";

export interface LoadOptions {
  /** The folder of LiteRT.js's WebAssembly; by default that of the installed package. */
  wasm?: string | URL;
  /**
   * LiteRT.js's module, where "@litertjs/core" is not found by its name: in workers without a
   * bundler.
   */
  litert?: typeof import("@litertjs/core");
  /** What computes: by default "wasm", the processor. */
  accelerator?: "wasm" | "webgpu" | "webnn";
  /** Stops the download. */
  signal?: AbortSignal;
  /** What errors call the file; by default its address. */
  name?: string;
}

/**
 * Opens a file in a browser or a worker, by LiteRT.js.
 *
 * A file of free length runs on "wasm" only. It is compiled for 16, 24, 32, 48, 64, ... tokens when a
 * text first needs it, and kept in memory for the six lengths that were used last.
 *
 * @param source its address, or its content
 * @throws {Error} there is no such file, or it can not be run
 */
export function load<A = Answer>(
  source: string | URL | ArrayBuffer | Uint8Array,
  options?: LoadOptions,
): Promise<Model<A>>;
