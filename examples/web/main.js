const LIBRARY = "./node_modules/@mediapipe/tasks-text";
const MODEL = "model.tflite";

const form = document.querySelector("form");
const status = document.querySelector("#status");

function say(words, wrong = false) {
  status.textContent = words;
  status.classList.toggle("wrong", wrong);
}

async function loadModel() {
  const response = await fetch(MODEL);
  if (!response.ok) {
    throw new Error(`There is no ${MODEL} beside this page: type "make web", or put one there.`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function loadClassifier(model) {
  const { FilesetResolver, TextClassifier } = await import(`${LIBRARY}/text_bundle.mjs`).catch(() => {
    throw new Error('MediaPipe is not installed: type "npm ci" in the folder of this page.');
  });
  const runtime = await FilesetResolver.forTextTasks(`${LIBRARY}/wasm`);
  return TextClassifier.createFromModelBuffer(runtime, model).catch(() => {
    throw new Error(
      `${MODEL} is not a text classifier for MediaPipe: export one with target="mediapipe".`,
    );
  });
}

function show(categories, milliseconds) {
  const items = categories.map(({ categoryName, score }) => {
    const item = document.querySelector("template").content.cloneNode(true);
    item.querySelector(".name").textContent = categoryName;
    item.querySelector(".score").textContent = `${(100 * score).toFixed(1)} %`;
    item.querySelector("meter").value = score;
    return item;
  });
  document.querySelector("#labels").replaceChildren(...items);
  document.querySelector("#latency").textContent = `${milliseconds.toFixed(1)} ms, text to labels`;
  document.querySelector("section").hidden = false;
}

async function main() {
  const model = await loadModel();
  const megabytes = (model.length / 1e6).toFixed(1);
  const classifier = await loadClassifier(model);
  classifier.classify("."); // the first call sets memory up
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const start = performance.now();
    const [head] = classifier.classify(form.text.value).classifications;
    show(head.categories, performance.now() - start);
  });
  form.querySelector("button").disabled = false;
  say(`Ready: ${MODEL}, ${megabytes} MB.`);
}

main().catch((error) => say(error.message, true));
