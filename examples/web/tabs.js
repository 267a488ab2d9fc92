// The tasks: which file answers them, what is asked, and how the answer is shown. Texts and labels
// become text nodes, never HTML.

const MADE_UP =
  "It was trained on sentences that a script made: it knows such sentences, and little else.";

export const TABS = {
  sentiment: {
    architecture: "SqueezeBertForSequenceClassification",
    file: "models/sentiment.tflite",
    about: "It was trained on English film reviews.",
    texts: ({ "sentiment-text": text }) => [text.value],
    show: ({ scores, values = scores, labels = [] }) => bars(values, values === scores, labels),
  },

  search: {
    architecture: "SqueezeBertModel",
    file: "models/embedder.tflite",
    about: "It is all-MiniLM-L6-v2, squeezed.",
    // A list of texts gives a list of answers.
    texts: ({ "search-text": text, "search-sentences": sentences }) => [
      [text.value, ...sentences.value.split("\n").filter((line) => line.trim())],
    ],
    show([{ embedding: query }, ...answers], [[, ...sentences]]) {
      const scores = answers.map(({ embedding }) =>
        embedding.reduce((sum, x, i) => sum + x * query[i], 0),
      );
      const found = sentences.map((sentence, i) => [sentence, scores[i]]);
      return [list(found, (score) => score.toFixed(2))];
    },
  },

  entities: {
    architecture: "SqueezeBertForTokenClassification",
    file: "models/entities.tflite",
    about: MADE_UP,
    texts: ({ "entities-text": text }) => [text.value],
    show({ entities }, [text]) {
      const spans = entities.map((entity) => ({ ...entity, label: entity.entity_group }));
      return [
        marked(text, spans),
        ...(spans.length ? [] : [element("p", "", "No entity was found.")]),
      ];
    },
  },

  question: {
    architecture: "SqueezeBertForQuestionAnswering",
    file: "models/questions.tflite",
    about: MADE_UP,
    texts: ({ "question-text": question, "question-context": context }) => [
      question.value,
      context.value,
    ],
    show: ({ answer, score, start, end }, [, context]) => [
      element("p", "short", `${answer} (${percent(score)})`),
      marked(context, [{ start, end }]),
    ],
  },

  masks: {
    architecture: "SqueezeBertForMaskedLM",
    file: "models/masks.tflite",
    about: MADE_UP,
    texts: ({ "masks-text": text }) => [text.value],
    show: ({ masks }) =>
      masks.flatMap((tokens, i) => [
        ...(masks.length > 1 ? [element("h2", "", `Mask ${i + 1}`)] : []),
        list(Object.entries(tokens), percent),
      ]),
  },
};

/** Numbers by label, with bars if they are probabilities; the labels that apply are named first. */
function bars(values, areScores, chosen) {
  const shown = list(Object.entries(values), areScores ? percent : (x) => x.toFixed(3), areScores);
  return chosen.length ? [element("p", "short", chosen.join(", ")), shown] : [shown];
}

/** Names with numbers, the largest first. */
function list(pairs, format, hasBars = true) {
  const made = element("ol");
  for (const [name, value] of [...pairs].sort(([, a], [, b]) => b - a)) {
    const item = element(
      "li",
      "",
      element("span", "name", name),
      element("span", "score", format(value)),
    );
    if (hasBars) {
      const meter = element("meter");
      meter.setAttribute("aria-hidden", "true"); // the number is beside it
      meter.value = value;
      item.append(meter);
    }
    made.append(item);
  }
  return made;
}

/** The text with some spans marked; each has a start, an end, and may have a label. */
function marked(text, spans) {
  const made = element("p", "text");
  let end = 0;
  for (const span of spans) {
    const mark = element("mark", "", text.slice(span.start, span.end));
    if (span.label) {
      mark.append(element("small", "", span.label));
      mark.title = `${span.label}, ${percent(span.score)}`;
    }
    made.append(text.slice(end, span.start), mark);
    end = span.end;
  }
  made.append(text.slice(end));
  return made;
}

const percent = (score) => `${(100 * score).toFixed(1)} %`;

function element(name, className = "", ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}
