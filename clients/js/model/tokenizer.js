// The tokenizer that a file carries.

import { ensure } from "../core/checks.js";
import { Tokenizer } from "../core/tokenizer.js";
import { parseObject, readPart } from "./parts.js";

/** The inputs of a model, sorted. */
export const INPUTS = ["attention_mask", "input_ids", "token_type_ids"];

// Settings with their usual values, and those of an added token.
const USUAL = {
  do_lower_case: true,
  do_basic_tokenize: true,
  tokenize_chinese_chars: true,
  strip_accents: true,
  never_split: [],
  truncation_side: "right",
  model_input_names: INPUTS,
  added_tokens_decoder: {},
};
const USUAL_OF_TOKEN = {
  content: "",
  normalized: true,
  single_word: true,
  lstrip: true,
  rstrip: true,
};

/**
 * @param {Record<string, string>} files that the file carries
 * @param {string} name of the file, for errors
 */
export function readTokenizer(files, name) {
  const {
    "vocab.txt": vocabulary,
    "tokenizer.json": other,
    "tokenizer_config.json": content = "{}",
  } = files;
  ensure(
    (vocabulary ?? other) !== undefined,
    "The model came without a tokenizer: export it again with the tokenizer it was trained with.",
  );
  const settings = readPart("tokenizer", name, () => readSettings(content));
  const unsupported = other
    ? `tokenizer_class ${settings.tokenizer_class}`
    : unsupportedIn(settings);
  ensure(
    !unsupported,
    `The tokenizer in '${name}' has ${unsupported}, which this client does not support: predict ` +
      "in Python, or use a tokenizer without it.",
  );
  return readPart("tokenizer", name, () => createTokenizer(vocabulary, settings));
}

/** @param {string} content of a tokenizer_config.json */
function readSettings(content) {
  const settings = parseObject(content);
  const { strip_accents, never_split, added_tokens_decoder: added = {} } = settings;
  const { truncation_side: side = "right", model_input_names: inputs = INPUTS } = settings;
  ensureLike(USUAL, {
    ...settings,
    strip_accents: strip_accents ?? true,
    never_split: never_split ?? [],
  });
  ensure(/^(left|right)$/.test(side), `its truncation_side is ${side}`);
  ensure(
    inputs.includes("input_ids") && inputs.every((/** @type {string} */ x) => INPUTS.includes(x)),
    `its model_input_names are ${inputs}`,
  );
  for (const token of Object.values(added)) {
    ensureLike(USUAL_OF_TOKEN, token);
    ensure(token.content, "its content is empty");
  }
  return settings;
}

/**
 * Refuses values of other types than the usual ones.
 * @param {Record<string, any>} usual
 * @param {Record<string, any>} values
 */
function ensureLike(usual, values) {
  for (const name in usual) {
    const { [name]: value = usual[name] } = values;
    const isLike = value?.constructor === usual[name].constructor;
    ensure(isLike, `its ${name} is ${JSON.stringify(value)}`);
  }
}

/**
 * A setting with which a text would have other tokens than here.
 * @param {Record<string, any>} settings
 */
function unsupportedIn({ never_split, truncation_side }) {
  if (never_split?.length) return "never_split";
  return truncation_side === "left" && 'truncation_side "left"';
}

/**
 * @param {string} vocabulary
 * @param {Record<string, any>} settings
 */
function createTokenizer(vocabulary, settings) {
  const tokenizer = new Tokenizer(vocabulary, settings);
  const { tokens, ids } = tokenizer;
  for (const use of ["pad", "mask"]) {
    ensureLike({ [use]: "" }, { [use]: tokenizer.special(use) });
  }
  ensure(
    ids.size === tokens.length && [...tokens].every((token, id) => ids.get(token) === id),
    "its tokens and ids do not fit",
  );
  return tokenizer;
}
