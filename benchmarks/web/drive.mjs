// Runs the page in headless Chromium: node drive.mjs URL CHROMIUM < OPTIONS
// OPTIONS are those of compare in clients.js, as JSON; what it returns is printed as JSON.

import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const [url, executablePath] = process.argv.slice(2);
const options = JSON.parse(await text(process.stdin));
const args = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
const browser = await chromium.launch({ executablePath, args: ["--disable-gpu", ...args] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(url);
  await page.waitForFunction(() => "compare" in globalThis, { timeout: 60000 });
  const run = (given) => globalThis.compare(given);
  console.log(JSON.stringify(await page.evaluate(run, options)));
} finally {
  await browser.close();
}
