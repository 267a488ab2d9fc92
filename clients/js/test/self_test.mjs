// Prints the result of a file's self test: node test/self_test.mjs FILE

import { load } from "../node.js";

const model = await load(process.argv[2]);
console.log(JSON.stringify(await model.selfTest({ rounds: 2 })));
await model.close();
