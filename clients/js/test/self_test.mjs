// Prints the result of a file's self test, or the error in which it ends:
//
//   node test/self_test.mjs FILE

import { load } from "../node.js";

try {
  const model = await load(process.argv[2]);
  console.log(JSON.stringify(await model.selfTest({ rounds: 2 })));
  await model.close();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
