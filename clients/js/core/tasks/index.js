/**
 * @import { Outputs, Row } from "../../types.js"
 * @import { Tokenizer } from "../tokenizer.js"
 *
 * @typedef {Record<string, any>} Options
 *
 * @typedef {object} Context what a task knows of its model
 * @property {Record<string, any>} config
 * @property {string[]} labels
 * @property {Tokenizer} tokenizer
 * @property {number} maxLength the number of tokens that a row may have
 *
 * @typedef {object} Task
 * @property {string} title for use in sentences
 * @property {string[]} [options] the names of those that it takes
 * @property {(config: Record<string, any>, labels: string[]) => Record<string, number | undefined>}
 *   outputs the outputs that a file may have, and the size of their last axis, if it is known
 * @property {boolean} [takesWords] whether a text of a list may be a list of words
 * @property {(texts: any[], model: Context, options: Options) => Row[]} rows
 *   makes the rows of a text, or refuses a wrong number of texts
 * @property {(outputs: Outputs, row: Row, model: Context, options: Options) => any} read
 *   extracts what the answer needs from a row's outputs, which may be longer than the row
 * @property {(parts: any[], texts: any[], options: Options) => any} [answer]
 *   makes the answer of what was read of a text's rows; without it, the text has one row, and that
 *   is the answer
 */

import { embedding } from "./embedding.js";
import { maskedLM } from "./masked_lm.js";
import { multipleChoice } from "./multiple_choice.js";
import { questionAnswering } from "./question_answering.js";
import { textClassification } from "./text_classification.js";
import { tokenClassification } from "./token_classification.js";

/** @type {Record<string, Task>} by the class of the model */
export const TASKS = {
  SqueezeBertModel: embedding,
  SqueezeBertForMaskedLM: maskedLM,
  SqueezeBertForMultipleChoice: multipleChoice,
  SqueezeBertForQuestionAnswering: questionAnswering,
  SqueezeBertForSequenceClassification: textClassification,
  SqueezeBertForTokenClassification: tokenClassification,
};
