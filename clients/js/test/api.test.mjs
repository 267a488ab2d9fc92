// The client with runners that play a model: lists, batches, lengths, stopping, closing, errors.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openModel } from "../model/model.js";

const MODELS = new URL("../../conformance/models/", import.meta.url);

const bytesOf = (name) => new Uint8Array(readFileSync(new URL(name, MODELS)));

/** A runner that makes an output of each row's ids, and keeps what it was called with. */
function fake(output, { batch = 1, lengths = [undefined], name = "logits" } = {}) {
  const calls = [];
  const runner = {
    calls,
    closed: 0,
    signatures: lengths.map((length, index) => ({ key: String(length), index, batch, length })),
    async run({ key }, inputs, [count, length]) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      assert.equal(inputs.input_ids.length, count * length);
      calls.push({ key, count, length, inputs });
      const rows = Array.from({ length: count }, (_, i) =>
        output([...inputs.input_ids.subarray(i * length, (i + 1) * length)]),
      );
      return { [name]: Float32Array.from(rows.flat()) };
    },
    close: () => runner.closed++,
  };
  return runner;
}

const open = (runner, name = "single-label.tflite") => openModel(bytesOf(name), name, () => runner);

const lengthOf = (ids) => ids.filter((id) => id).length;

test("a list is answered in its order", async () => {
  const model = await open(fake((ids) => [ids[1], 0, 0]));
  const texts = ["one", "two three", "four"];
  const answers = await model.predict(texts);
  assert.deepEqual(answers, [
    await model.predict("one"),
    await model.predict("two three"),
    await model.predict("four"),
  ]);
  assert.deepEqual(await model.predict([]), []);
});

test("a fixed batch runs several rows at once, and pads the last", async () => {
  const runner = fake((ids) => [lengthOf(ids), 0, 0], { batch: 4, lengths: [16] });
  const single = await open(fake((ids) => [lengthOf(ids), 0, 0]));
  const model = await open(runner);
  const texts = ["a", "a b", "a b c", "a b c d", "a b c d e", "a"];
  const answers = await model.predict(texts);
  assert.deepEqual(answers, await single.predict(texts));
  assert.deepEqual(
    runner.calls.map(({ count }) => count),
    [4, 4],
  );
  const { attention_mask } = runner.calls[1].inputs;
  assert.deepEqual([...attention_mask.subarray(32)], Array(32).fill(0));
});

test("the shortest length that fits is taken", async () => {
  const runner = fake((ids) => [lengthOf(ids), 0, 0], { lengths: [4, 8, 16] });
  const model = await open(runner);
  assert.equal(model.maxLength, 16);
  for (const count of [1, 2, 3, 6, 7, 14, 20]) await model.predict("a ".repeat(count));
  assert.deepEqual(
    runner.calls.map(({ length }) => length),
    [4, 4, 8, 8, 16, 16, 16],
  );
  const answer = await model.predict("a ".repeat(20));
  assert.equal(answer.truncated, true);
  assert.equal(model.tokenize("a ".repeat(20)).input_ids.length, 16);
});

test("a signal stops between two calls", async () => {
  const runner = fake(() => [0, 1, 2]);
  const model = await open(runner);
  const controller = new AbortController();
  const { signal } = controller;
  const promise = model.predict(Array(100).fill("a"), { signal });
  setTimeout(() => controller.abort(), 5);
  await assert.rejects(promise, { name: "AbortError" });
  assert.ok(runner.calls.length < 100);
  await assert.rejects(model.predict("a", { signal }), { name: "AbortError" });
  assert.equal((await model.predict("a")).label, model.labels[2]);
});

test("calls take turns, and closing waits for them", async () => {
  let running = 0;
  const runner = fake(() => [0, 1, 2]);
  const { run } = runner;
  runner.run = async (...values) => {
    assert.equal(++running, 1);
    const outputs = await run(...values);
    running--;
    return outputs;
  };
  const model = await open(runner);
  const answers = Promise.all([model.predict("a"), model.predict("b"), model.predict("c")]);
  await model.predict("d");
  await answers;
  const last = model.predict("e");
  await Promise.resolve();
  await model.close();
  assert.equal(runner.closed, 1);
  await last;
  await model.close();
  assert.equal(runner.closed, 1);
  await assert.rejects(model.predict("a"), { message: "The model is closed: load it again." });
});

test("a failed call does not stop the next one", async () => {
  let fails = true;
  const runner = fake((ids) => {
    if (fails) throw new Error("no memory");
    return [lengthOf(ids), 0, 0];
  });
  const model = await open(runner);
  await assert.rejects(model.predict("a"), { message: "no memory" });
  fails = false;
  assert.equal((await model.predict("a")).label, model.labels[0]);
});

test("outputs that are not finite are refused", async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const model = await open(fake(() => [0, value, 0]));
    await assert.rejects(model.predict("a"), /^Error: The model's logits hold NaN or infinity: /);
  }
});

test("lists of words keep their places", async () => {
  const file = "token-classification.tflite";
  const labels = (
    await open(
      fake(() => []),
      file,
    )
  ).labels;
  const output = (ids) => ids.flatMap((id) => labels.map((_, i) => (i === id % 2 ? 5 : 0)));
  const model = await open(fake(output), file);
  const words = ["Maria", "\u200b", "went", "home"];
  const [answer] = await model.predict([words]);
  assert.deepEqual(
    answer.words.map(({ word, start, end }) => [word, start, end]),
    [
      ["Maria", 0, 5],
      ["\u200b", 6, 7],
      ["went", 8, 12],
      ["home", 13, 17],
    ],
  );
  assert.deepEqual([answer.words[1].label, answer.words[1].score], ["O", 0]);
});

test("what does not fit is refused", async () => {
  const model = await open(fake(() => [0, 1, 2]));
  const refused = async (message, ...values) =>
    assert.rejects(model.predict(...values), { name: "Error", message });
  await refused("5 is not a text: pass a string.", ["a", 5]);
  await refused("Expected a text or a list of texts, not number.", 5);
  await refused("Expected a text or a list of texts, not undefined.", undefined);
  await refused("null is not a text: pass a string.", "a", null);
  await refused('["a"] is not a text: pass a string.', [["a"]]);
  await refused(
    "The first list holds 2 texts and another 1: pass lists of equal length.",
    ["a", "b"],
    ["c"],
  );
  await refused("Expected a text or a list of texts, not string.", ["a"], "b");
  await refused("Sequence classification has no option top_k.", "a", { top_k: 3 });
  await refused("Sequence classification takes one text, or a pair.", "a", "b", "c");
  await refused(
    "A text holds half of a surrogate pair, which is not text: replace it by text.toWellFormed().",
    "a\ud800",
  );
  assert.throws(() => model.tokenize(5), { message: "5 is not a text: pass a string." });
});
