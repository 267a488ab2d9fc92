// Uses the page in headless Chromium, as tests/test_web.py and the benchmarks ask it to.
//
//   node drive.mjs URL CHROMIUM < STEPS
//
// STEPS is a JSON list. A step may have: tab, the id of a tab to click; fields, values by the ids
// of their fields, which are typed before the form is sent; file, the path of a file to choose;
// key, to press; width, of the window; screenshot, a path to write. Prints as JSON: what the page
// shows after each step, the requests that it made, and what its Content-Security-Policy blocks in
// its worker.

import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const ELSEWHERE = "https://elsewhere.invalid/";

const [url, executablePath] = process.argv.slice(2);
const steps = JSON.parse(await text(process.stdin));
const browser = await chromium.launch({
  executablePath,
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-sandbox", // containers run as root
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 760, height: 760 } });
  const requests = [];
  const errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  const shown = [];
  for (const step of steps) {
    await take(page, step);
    await page.waitForFunction(() => !document.querySelector("#status").textContent.endsWith("…"));
    if (step.screenshot) await page.screenshot({ path: step.screenshot, fullPage: true });
    shown.push(await page.evaluate(read));
  }
  const [worker] = page.workers();
  const blocked = await worker?.evaluate(violation, ELSEWHERE);
  console.log(JSON.stringify({ shown, requests, errors, blocked }));
} finally {
  await browser.close();
}

async function take(page, { tab, fields = {}, file, key, width }) {
  if (width) await page.setViewportSize({ width, height: 760 });
  if (tab) await page.click(`#${tab}-tab`);
  if (file) await page.setInputFiles("#file", file);
  if (key) await page.keyboard.press(key);
  for (const [id, value] of Object.entries(fields)) await page.fill(`#${id}`, value);
  if (Object.keys(fields).length) await page.click("section:not([hidden]) form button");
}

/** What the page shows, in the page. */
function read() {
  const textOf = (selector) => document.querySelector(selector)?.textContent ?? "";
  const spans = [];
  let text = "";
  for (const node of document.querySelector("#answer .text")?.childNodes ?? []) {
    const [part, label] = node.nodeName === "MARK" ? node.childNodes : [node];
    const end = text.length + part.textContent.length;
    if (node.nodeName === "MARK") spans.push([text.length, end, label?.textContent ?? ""]);
    text += part.textContent;
  }
  return {
    tab: document.querySelector("[aria-selected=true]")?.textContent,
    status: textOf("#status"),
    latency: textOf("#latency"),
    model: textOf("#model"),
    short: textOf("#answer .short"),
    lists: [...document.querySelectorAll("#answer ol")].map((list) =>
      [...list.children].map((item) =>
        [".name", ".score"].map((part) => item.querySelector(part).textContent),
      ),
    ),
    text,
    spans,
    isScrolledAside: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
}

/** The address of a request that the policy blocks, in the worker. */
function violation(address) {
  return new Promise((resolve) => {
    addEventListener("securitypolicyviolation", ({ blockedURI }) => resolve(blockedURI));
    fetch(address).catch(() => setTimeout(resolve, 1000, null));
  });
}
