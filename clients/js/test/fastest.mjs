// Prints which of some files is the fastest that is right, and which models stay open:
//
//   node test/fastest.mjs FILE...

import { fastest } from "../fastest.js";
import { load } from "../node.js";

const paths = process.argv.slice(2);
const models = new Map();
const ways = paths.map((path) => async () => {
  models.set(path, await load(path));
  return models.get(path);
});
const isOpen = ([, model]) =>
  model.predict("A film.").then(
    () => true,
    () => false,
  );
try {
  const { model, selfTest } = await fastest(ways, { rounds: 2 });
  const open = [];
  for (const entry of models) if (await isOpen(entry)) open.push(entry[0]);
  const [fast] = [...models].find((entry) => entry[1] === model);
  console.log(JSON.stringify({ fastest: fast, open, right: selfTest.right }));
  await model.close();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
