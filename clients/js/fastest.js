// For every place: the fastest of several ways to run a file.

import { ensure } from "./core/checks.js";

/** @type {typeof import("./fastest.d.ts").fastest} */
export async function fastest(ways, { rounds = 5, half = false } = {}) {
  let best;
  const reasons = [];
  for (const open of ways) {
    let model;
    try {
      model = await open();
      const selfTest = await model.selfTest({ rounds, half });
      const { right, error, tolerance, milliseconds } = selfTest;
      ensure(right, `WRONG: an error of ${error}, where ${tolerance} is allowed`);
      const time = milliseconds.reduce((a, b) => a + b);
      if (best && best.time <= time) {
        await model.close();
      } else {
        await best?.model.close();
        best = { model, selfTest, time };
      }
    } catch (error) {
      reasons.push(/** @type {Error} */ (error).message);
      await model?.close();
    }
  }
  ensure(best, `Nothing here runs the file correctly: ${reasons.join("; ")}`);
  return { model: best.model, selfTest: best.selfTest };
}
