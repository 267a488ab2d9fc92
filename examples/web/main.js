import { call } from "./models.js";
import { TABS } from "./tabs.js";

const find = (id) => document.getElementById(id);
const answers = {}; // by tab: what is shown, so that it is still there when one comes back
const opened = {}; // by tab: the promise of its model
let current;
let asked = 0; // questions

/** Opens a tab's model, unless it is open. */
function openModel(tab) {
  const { file, about } = TABS[tab];
  opened[tab] ??= openFile(new URL(file, document.baseURI).href, file, about);
  opened[tab].catch(() => delete opened[tab]); // another try may find the file
  return opened[tab];
}

async function openFile(source, path, about) {
  const name = path.split("/").pop();
  const model = await call("open", { source, name });
  return { ...model, name, about };
}

/** Answers what is in the form of a tab. */
async function answer(tab) {
  const number = ++asked;
  const say = (change) => {
    if (answers[tab]?.number === number) update(tab, change); // or else a newer question was asked
  };
  answers[tab] = { ...answers[tab], number };
  update(tab, { status: opened[tab] ? "Running …" : "Loading …", isWrong: false });
  try {
    const model = await openModel(tab);
    const { id, name, bytes, about } = model;
    say({ model: `${name}, ${(bytes / 1e6).toFixed(1)} MB. ${about}` });
    const texts = TABS[tab].texts(find(tab).querySelector("form").elements);
    if (!model.isWarm) await call("ask", { id, texts }); // the first call sets memory up
    model.isWarm = true;
    const { answer, milliseconds } = await call("ask", { id, texts });
    const count = Array.isArray(answer) ? `, ${answer.length} texts` : "";
    const latency = `${milliseconds.toFixed(1)} ms from text to answer${count}`;
    say({ status: "", shown: TABS[tab].show(answer, texts), latency });
  } catch ({ message }) {
    say({ status: message, isWrong: true, shown: [], latency: "" });
  }
}

function update(tab, change) {
  Object.assign(answers[tab], change);
  if (tab !== current) return;
  const { status, isWrong, shown = [], latency = "", model = "" } = answers[tab];
  find("status").textContent = status;
  find("status").classList.toggle("wrong", isWrong);
  find("answer").replaceChildren(...shown);
  find("latency").textContent = latency;
  find("model").textContent = model;
}

function select(tab) {
  current = tab;
  for (const name of Object.keys(TABS)) {
    find(name).hidden = name !== tab;
    find(`${name}-tab`).setAttribute("aria-selected", name === tab);
    find(`${name}-tab`).tabIndex = name === tab ? 0 : -1;
  }
  history.replaceState(null, "", `#${tab}`);
  if (answers[tab]) update(tab, {});
  else answer(tab);
}

/** Gives a file of the user's, an address or bytes, to the tab of its task. */
async function useFile(source, name) {
  try {
    find("status").textContent = `Loading ${name} …`;
    const model = await openFile(await source, name, "It is your file.");
    const tab = Object.keys(TABS).find((each) => TABS[each].architecture === model.architecture);
    if (!tab) {
      call("close", model);
      throw new Error(`'${name}' is a ${model.architecture}, for which this page has no tab.`);
    }
    opened[tab]?.then(
      (old) => call("close", old),
      () => {},
    );
    opened[tab] = Promise.resolve(model);
    delete answers[tab];
    select(tab);
  } catch ({ message }) {
    answers[current] = { ...answers[current], status: message, isWrong: true };
    select(current);
  }
}

function readFirst([file]) {
  if (file) useFile(file.arrayBuffer(), file.name);
}

for (const tab of Object.keys(TABS)) {
  find(`${tab}-tab`).addEventListener("click", () => select(tab));
  find(tab)
    .querySelector("form")
    .addEventListener("submit", (event) => {
      event.preventDefault();
      answer(tab);
    });
}

document.querySelector("[role=tablist]").addEventListener("keydown", ({ key }) => {
  const tabs = Object.keys(TABS);
  const at = tabs.indexOf(current);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[key];
  if (next === undefined) return;
  const tab = tabs.at(next % tabs.length);
  select(tab);
  find(`${tab}-tab`).focus();
});

find("file").addEventListener("change", ({ target }) => readFirst(target.files));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  readFirst(event.dataTransfer.files);
});

const hash = location.hash.slice(1);
const own = new URLSearchParams(location.search).get("model");
if (own) {
  current = Object.keys(TABS)[0];
  useFile(new URL(own, document.baseURI).href, own);
} else select(Object.hasOwn(TABS, hash) ? hash : Object.keys(TABS)[0]);
