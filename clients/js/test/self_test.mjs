// Prints the result of a file's self test, or the error in which it ends:
//
//   node test/self_test.mjs FILE [ROUNDS]

import { load } from "../node.js";

const [path, rounds = 2] = process.argv.slice(2);

try {
  const model = await load(path);
  console.log(JSON.stringify(await model.selfTest({ rounds: Number(rounds) })));
  await model.close();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
