// Runs in a page and in a worker.

import { load } from "../../index.js";

/**
 * The answers to some texts, and the result of the self test.
 * @param {string} file
 * @param {any[][]} questions
 * @param {object} [options] of load
 */
export async function answer(file, questions, options) {
  const model = await load(file, options);
  const answers = [];
  for (const question of questions) answers.push(await model.predict(...question));
  const test = await model.selfTest();
  await model.close();
  return { answers, test };
}
