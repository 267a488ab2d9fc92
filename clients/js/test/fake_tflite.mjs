// Plays a model of react-native-fast-tflite 3.0.1 by LiteRT.js. It does what the library's
// HybridTfliteModel.cpp does: inputs go by their index; one of another size is ignored, and the
// tensor keeps what it held; another number of them is refused; outputs share their memory with
// those of later calls.

import { startInNode } from "../runners/litert_js_in_node.js";

/** @param {Uint8Array} bytes */
export async function loadTensorflowModel(bytes) {
  const litert = await startInNode();
  const model = await litert.loadAndCompile(bytes, { accelerator: "wasm" });
  const [inputs, outputs] = [model.getInputDetails(), model.getOutputDetails()].map((details) =>
    details.map(({ dtype, shape }, i) => ({
      name: `tensor_${i}`,
      dataType: dtype,
      shape: [...shape],
    })),
  );
  const held = inputs.map(({ shape }) => new Int32Array(shape[0] * shape[1]));
  const memory = [];
  return {
    inputs,
    outputs,
    isDisposed: false,
    async run(buffers) {
      if (buffers.length !== inputs.length) throw new Error("TFLite: Input array size");
      buffers.forEach((buffer, i) => {
        if (buffer.byteLength === held[i].byteLength) held[i].set(new Int32Array(buffer));
      });
      const tensors = held.map((values, i) => new litert.Tensor(values, inputs[i].shape));
      const results = await model.run(tensors);
      results.forEach((tensor, i) => {
        const values = tensor.toTypedArray();
        memory[i] ??= new ArrayBuffer(values.byteLength);
        new Float32Array(memory[i]).set(values);
      });
      for (const tensor of [...tensors, ...results]) tensor.delete();
      return memory;
    },
    dispose() {
      this.isDisposed = true;
      model.delete();
    },
  };
}
