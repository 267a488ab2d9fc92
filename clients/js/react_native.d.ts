import type { Answer, Model } from "./types.js";

export * from "./types.js";

/** A model of react-native-fast-tflite 3, as `loadTensorflowModel` returns it. */
export interface FastTfliteModel {
  readonly inputs: { name: string; dataType: string; shape: number[] }[];
  readonly outputs: { name: string; dataType: string; shape: number[] }[];
  run(inputs: ArrayBuffer[]): Promise<ArrayBuffer[]>;
  dispose?(): void;
}

/**
 * Answers by a model that react-native-fast-tflite has loaded. It must be of a fixed length.
 *
 * @param content the content of the same file, for its vocabulary and labels
 * @param model
 * @throws {Error} the file can not be run, or is another than the model's
 */
export function load<A = Answer>(
  content: ArrayBuffer | Uint8Array,
  model: FastTfliteModel,
): Promise<Model<A>>;
