// How the interface is used in TypeScript; tsc compiles it.

import { load, type EntitiesAnswer } from "../index.js";
import { load as loadInNode, type Answer, type Model } from "../node.js";
import { load as loadInReactNative, type FastTfliteModel } from "../react_native.js";

export async function use(tflite: FastTfliteModel, signal: AbortSignal): Promise<string[]> {
  const model: Model<EntitiesAnswer> = await load("ner.tflite", { wasm: "/wasm/", signal });
  const { entities } = await model.predict("Ada in Paris");
  const several: EntitiesAnswer[] = await model.predict(["Ada", "Paris"], { signal });
  const words: EntitiesAnswer[] = await model.predict([["Ada", "in", "Paris"]]);
  const { right, milliseconds } = await model.selfTest({ rounds: 3, half: true });
  const { input_ids, offsets } = model.tokenize("Ada", "Paris");
  const slices: string[] = entities.map(({ start, end }) => "Ada in Paris".slice(start, end));
  await model.close();

  const other = await loadInNode(new Uint8Array(), { runner: "wasm" });
  const answer: Answer = await other.predict("a question", "a context", { top_k: 3 });
  const phone = await loadInReactNative(new ArrayBuffer(0), tflite);
  // @ts-expect-error a text is a string
  await phone.predict(5);
  // @ts-expect-error there is no such option
  await phone.predict("a", { topK: 3 });
  // @ts-expect-error there is no such runner
  await loadInNode("a.tflite", { runner: "gpu" });
  return [...slices, String([several, words, right, milliseconds, input_ids, offsets, answer])];
}
