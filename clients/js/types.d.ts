// Places in a text (start, end) count UTF-16 units, as JavaScript's strings do:
// text.slice(start, end).

/** Of a classifier with one label for each text. */
export interface LabelAnswer {
  label: string;
  score: number;
  scores: Record<string, number>;
  /** Set if the text was longer than the model takes, and the rest was left out. */
  truncated?: true;
}

/** Of a classifier with several labels for a text: those with a score of 0.5 or more. */
export interface LabelsAnswer extends LabelAnswer {
  labels: string[];
}

export interface RegressionAnswer {
  values: Record<string, number>;
  truncated?: true;
}

export interface Word {
  label: string;
  score: number;
  start: number;
  end: number;
  word: string;
}

export interface Entity {
  entity_group: string;
  /** The mean of its words' scores. */
  score: number;
  word: string;
  start: number;
  end: number;
}

export interface EntitiesAnswer {
  words: Word[];
  entities: Entity[];
}

export interface SpanAnswer {
  /** "" if the context holds no answer, which needs `handle_impossible_answer`. */
  answer: string;
  score: number;
  start: number;
  end: number;
}

export interface MaskAnswer {
  /**
   * For each [MASK] its best tokens and their scores. JavaScript puts keys that are whole numbers
   * first, so sort by the scores.
   */
  masks: Record<string, number>[];
  truncated?: true;
}

export interface ChoiceAnswer {
  choice: string;
  index: number;
  scores: number[];
  truncated?: true;
}

export interface EmbeddingAnswer {
  /** A vector of length 1. */
  embedding: number[];
  truncated?: true;
}

export type Answer =
  | LabelAnswer
  | LabelsAnswer
  | RegressionAnswer
  | EntitiesAnswer
  | SpanAnswer
  | MaskAnswer
  | ChoiceAnswer
  | EmbeddingAnswer;

export interface PredictOptions {
  /** Stops between two calls of the file; the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** For masked LM: the number of tokens for each [MASK]; by default 5. */
  top_k?: number;
  /** For question answering: whether "no answer" is allowed. */
  handle_impossible_answer?: boolean;
}

export interface Tokens {
  input_ids: number[];
  token_type_ids: number[];
  /** Start and end of each token in its text; 0 and 0 for the special tokens around texts. */
  offsets: [number, number][];
  /** The number of each token's word in its text; null for the special tokens around texts. */
  word_ids: (number | null)[];
  truncated: boolean;
}

/** The result of a self test. */
export interface SelfTest {
  /** Whether every output is as close to the exported model's as the file allows. */
  right: boolean;
  /**
   * The root mean square of an output's errors, relative to the output's spread; of several
   * outputs, that of the one whose error is largest relative to its tolerance.
   */
  error: number;
  /** The largest error that the file allows for this output. */
  tolerance: number;
  /** The number of tokens of each example. */
  tokens: number[];
  /** The time of each example: the median of the rounds. */
  milliseconds: number[];
}

/** A loaded file. Calls take turns. */
export interface Model<A = Answer> {
  /** The class of the exported model, for instance "SqueezeBertForTokenClassification". */
  readonly architecture: string;
  /** The content of its config.json. */
  readonly config: Record<string, any>;
  readonly labels: string[];
  /** The number of tokens of the longest text that the file takes. */
  readonly maxLength: number;

  /**
   * Answers a text, or each text of a list.
   *
   * @param text the text; for question answering the question
   * @param others the second text of a pair; for question answering the context; for multiple
   *   choice the choices. For a list of texts, lists of the same length. Options may come last.
   * @throws {Error} the texts or options do not fit the task
   */
  predict(text: string, ...others: (string | PredictOptions)[]): Promise<A>;
  predict(texts: string[], ...others: (string[] | PredictOptions)[]): Promise<A[]>;
  /** Token classification also takes texts as lists of words. */
  predict(texts: string[][], options?: PredictOptions): Promise<A[]>;

  /** The tokens of a text or a pair, as many as the file takes. */
  tokenize(text: string, pair?: string): Tokens;

  /**
   * Runs the golden examples that the file carries: does it compute here what the exported model
   * does?
   *
   * @param options how often to run each example, of which every round must be right; and whether
   *   the runner computes in float16, as GPUs may
   * @throws {Error} the file carries no golden examples
   */
  selfTest(options?: { rounds?: number; half?: boolean }): Promise<SelfTest>;

  /** Frees the memory, when calls in progress have ended. */
  close(): Promise<void>;
}

// For runners

/** A way to call a file: a graph with named inputs and outputs. */
export interface Signature {
  key: string;
  index: number;
  /** The number of the graph in the file. */
  graph: number;
  /** The number of texts of a call; undefined if it is free. */
  batch: number | undefined;
  /** The number of tokens of each text; undefined if it is free. */
  length: number | undefined;
  /** The names of the inputs, in the graph's order. */
  inputs: string[];
  /** The outputs in the graph's order, each with the size of its last axis. */
  outputs: { name: string; size: number }[];
}

/** What a file says about itself. */
export interface ModelFile {
  name: string;
  signatures: Signature[];
  architecture: string;
  config: Record<string, any>;
  labels: string[];
}

/** The outputs of a call by name, batch after batch. */
export type Outputs = Record<string, Float32Array>;

export interface Runner {
  /** The signatures that it can run, if not all; those for the shortest texts first. */
  readonly signatures?: Signature[];
  /**
   * Calls the file.
   *
   * @param inputs `input_ids`, `attention_mask` and `token_type_ids`, each [batch, length]
   */
  run(
    signature: Signature,
    inputs: Record<string, Int32Array>,
    shape: [batch: number, length: number],
  ): Outputs | Promise<Outputs>;
  /** Frees its memory. */
  close(): void;
}

// Within the client

export interface Token {
  id: number;
  start: number;
  end: number;
  /** The number of its word in its text; undefined for special tokens around texts. */
  word?: number;
  /** 0 in the first text, 1 in the second. */
  text?: number;
}

/** The tokens of one text, or of two, for a call of the model. */
export interface Row {
  tokens: Token[];
  input_ids: number[];
  token_type_ids: number[];
  truncated?: boolean;
}
