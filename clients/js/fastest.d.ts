import type { Model, SelfTest } from "./types.js";

/**
 * Opens a file in several ways, and keeps the one that is fastest on the file's golden examples, of
 * those that are right.
 *
 * @param ways functions that open it, such as `() => load(url, { accelerator: "webgpu" })`; each may
 *   open a file that was exported for it
 * @param options of each model's `selfTest`: by default 5 rounds, whose median counts, since some
 *   GPUs are right in the first only
 * @throws {Error} no way runs a file correctly; the message says why
 */
export function fastest<M extends Model<any>>(
  ways: (() => Promise<M>)[],
  options?: { rounds?: number; half?: boolean },
): Promise<{ model: M; selfTest: SelfTest }>;
