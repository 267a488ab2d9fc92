// BERT's tokenizer: from a text to WordPieces that know their place in the text.

import { splitterAt } from "./added_tokens.js";
import {
  charactersOf,
  clean,
  lowerCase,
  separateIdeographs,
  spanOf,
  stripAccents,
  textOf,
  WHITE_SPACE,
} from "./characters.js";
import { ensure } from "./checks.js";
import { PUNCTUATION } from "./unicode.js";

/**
 * @import { Row, Token } from "../types.js"
 * @import { AddedToken } from "./added_tokens.js"
 * @import { Character } from "./characters.js"
 * @typedef {Record<string, any>} Config
 */

const MOST_CHARACTERS = 100; // of a word that is split into pieces
const SPECIAL = ["unk", "cls", "sep", "pad", "mask"];
const SEPARATORS = /[\x1c-\x1f]/; // white space too, in a text that is not cleaned
const LINE_END = new RegExp(`(${WHITE_SPACE.source})+$`, "u");

export class Tokenizer {
  #splitRaw;
  #splitNormalized;

  /**
   * Takes what it is given to be right; model/tokenizer.js checks what a file says.
   * @param {string} vocabulary the content of a vocab.txt
   * @param {Config} [config] the content of the tokenizer_config.json beside it
   */
  constructor(vocabulary, config = {}) {
    this.config = config;
    const lines = vocabulary.replace(/[\r\n]+$/, "").split(/\r?\n/);
    this.tokens = lines.map((line) => line.replace(LINE_END, "") || line);
    this.ids = new Map(this.tokens.map((token, id) => [token, id]));
    const added = this.#addTokens();
    const normalized = added.filter((token) => token.normalized);
    const normalize = (/** @type {string} */ text) => textOf(this.#normalize(charactersOf(text)));
    this.#splitRaw = splitterAt(added.filter((token) => !token.normalized));
    this.#splitNormalized = splitterAt(
      normalized.map((token) => ({ ...token, content: normalize(token.content) })),
    );
    this.unk = this.#idOf("unk");
    this.cls = this.#idOf("cls");
    this.sep = this.#idOf("sep");
    this.mask = this.ids.get(this.special("mask"));
  }

  /** The token for a use, such as "mask"; undefined if there is none. */
  special(/** @type {string} */ use) {
    const { [`${use}_token`]: token = `[${use.toUpperCase()}]` } = this.config;
    return token?.content ?? token ?? undefined;
  }

  #idOf(/** @type {string} */ use) {
    const id = this.ids.get(this.special(use));
    ensure(id !== undefined, `the vocabulary lacks the ${use}_token '${this.special(use)}'`);
    return id;
  }

  /** Adds the tokens that the config lists, and returns all that are never split. */
  #addTokens() {
    const listed = Object.entries(this.config.added_tokens_decoder ?? {});
    /** @type {Map<string, AddedToken>} */
    const added = new Map(listed.map(([id, token]) => [token.content, { ...token, id: +id }]));
    for (const { content, id } of added.values()) {
      this.tokens[id] ??= content;
      this.ids.set(content, id);
    }
    for (const content of SPECIAL.map((use) => this.special(use))) {
      const id = this.ids.get(content);
      if (id !== undefined && !added.has(content)) added.set(content, { content, id });
    }
    return [...added.values()];
  }

  /**
   * The tokens of a text, without special tokens around it.
   * @param {string} text
   * @returns {Token[]}
   */
  encode(text) {
    const parts = this.#splitRaw(charactersOf(text)).flatMap((part) =>
      part.id === undefined ? this.#splitNormalized(this.#normalize(part.characters)) : part,
    );
    const words = parts.flatMap(({ id, characters }) =>
      id === undefined
        ? this.#words(characters).map((word) => this.#pieces(word))
        : [[{ id, ...spanOf(characters) }]],
    );
    return words.flatMap((pieces, word) => pieces.map((piece) => ({ ...piece, word })));
  }

  /**
   * The tokens of a text that is given as words.
   * @param {string[]} words
   * @returns {Token[]}
   */
  encodeWords(words) {
    return words.flatMap((text, word) => this.encode(text).map((token) => ({ ...token, word })));
  }

  #normalize(/** @type {Character[]} */ text) {
    const { do_basic_tokenize, tokenize_chinese_chars, strip_accents, do_lower_case } = this.config;
    const lower = do_lower_case !== false;
    if (do_basic_tokenize === false) return text;
    text = clean(text);
    if (tokenize_chinese_chars !== false) text = separateIdeographs(text);
    if (strip_accents ?? lower) text = stripAccents(text);
    return lower ? lowerCase(text) : text;
  }

  #words(/** @type {Character[]} */ text) {
    const splits = this.config.do_basic_tokenize !== false;
    /** @type {Character[][]} */
    const words = [[]];
    for (const character of text) {
      if (WHITE_SPACE.test(character.text) || SEPARATORS.test(character.text)) words.push([]);
      else if (splits && PUNCTUATION.test(character.text)) words.push([character], []);
      else words[words.length - 1].push(character);
    }
    return words.filter((word) => word.length);
  }

  /** The longest pieces that the vocabulary has, from the start of a word on. */
  #pieces(/** @type {Character[]} */ word) {
    const unknown = [{ id: this.unk, ...spanOf(word) }];
    if (word.length > MOST_CHARACTERS) return unknown;
    const text = textOf(word);
    const pieces = [];
    for (let from = 0, to, start = 0, end; from < word.length; from = to, start = end) {
      const prefix = from ? "##" : "";
      to = word.length;
      end = text.length;
      let id = this.ids.get(prefix + text.slice(start));
      while (id === undefined && --to > from) {
        end -= word[to].text.length;
        id = this.ids.get(prefix + text.slice(start, end));
      }
      if (id === undefined) return unknown;
      pieces.push({ id, start: word[from].start, end: word[to - 1].end });
    }
    return pieces;
  }

  /**
   * A row of the model: `[CLS] first [SEP]`, or `[CLS] first [SEP] second [SEP]`.
   * @param {Token[]} first
   * @param {Token[]} [second]
   * @returns {Row}
   */
  row(first, second) {
    const [cls, sep] = [this.cls, this.sep].map((id) => ({ id, start: 0, end: 0 }));
    const tokens = [cls, ...first.map((token) => ({ ...token, text: 0 })), sep];
    if (second) tokens.push(...second.map((token) => ({ ...token, text: 1 })), sep);
    const hasTypes = this.config.model_input_names?.includes("token_type_ids") !== false;
    const types = tokens.map((_, i) => Number(hasTypes && i > first.length + 1));
    return { tokens, input_ids: tokens.map(({ id }) => id), token_type_ids: types };
  }

  /**
   * A row of at most `most` tokens, for which the longer of two texts is cut.
   * @param {number} most
   * @param {Token[][]} texts the tokens of one text, or of two
   * @returns {Row}
   */
  truncated(most, [first, second]) {
    const room = most - (second ? 3 : 2);
    if (!second) return { ...this.row(first.slice(0, room)), truncated: first.length > room };
    const short = Math.min(first.length, second.length, Math.floor(room / 2));
    const kept = first.length <= second.length ? short : room - short;
    const row = this.row(first.slice(0, kept), second.slice(0, room - kept));
    return { ...row, truncated: first.length + second.length > room };
  }
}
