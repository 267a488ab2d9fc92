// Shows a page in headless Chromium, and prints its text when it has some:
//
//   node test/page.mjs CHROMIUM ADDRESS

import { chromium } from "playwright-core";

const [executablePath, address] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--disable-gpu", "--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error.message));
  await page.goto(address);
  await page.waitForFunction(() => document.body.innerText.trim(), { timeout: 60_000 });
  console.log(await page.innerText("body"));
} finally {
  await browser.close();
}
