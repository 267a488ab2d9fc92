// Makes docs/web.png, one picture of all tabs, while `make web` serves the page:
//
//   node screenshot.mjs http://127.0.0.1:8000/ CHROMIUM ../../docs/web.png

import { chromium } from "playwright-core";

const COLUMNS = [["sentiment", "masks"], ["entities", "question"], ["search"]];
const WIDTH = 420;
const STYLE = `
  body { display: flex; gap: 10px; margin: 0; padding: 10px; align-items: flex-start; }
  div { display: grid; gap: 10px; }`;

const [url, executablePath, path] = process.argv.slice(2);
const args = ["--disable-gpu", "--no-sandbox"]; // containers run as root
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 400 } });
  await page.goto(url);
  const columns = [];
  for (const tabs of COLUMNS) {
    const images = [];
    for (const tab of tabs) images.push(await picture(page, tab));
    columns.push(`<div>${images.join("")}</div>`);
  }
  const board = await browser.newPage({ viewport: { width: 3 * WIDTH, height: 400 } });
  await board.setContent(`<style>${STYLE}</style>${columns.join("")}`);
  await board.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
}

/** An image of a tab with its answer. */
async function picture(page, tab) {
  await page.click(`#${tab}-tab`);
  await page.waitForFunction(() => document.querySelector("#latency").textContent);
  const image = await page.locator("main").screenshot();
  return `<img src="data:image/png;base64,${image.toString("base64")}">`;
}
