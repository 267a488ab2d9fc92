// Types texts into the page in headless Chromium and clicks, as tests/test_web.py asks it to.
//
//   node drive.mjs URL CHROMIUM [SCREENSHOT] < TEXTS
//
// TEXTS is a JSON list. Prints as JSON: what the page says, its scores by label for each text, the
// requests that it made, and those that its Content-Security-Policy blocked.

import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const [url, executablePath, screenshot] = process.argv.slice(2);
const texts = JSON.parse(await text(process.stdin));
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
  const page = await browser.newPage({ viewport: { width: 760, height: 720 } });
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.addInitScript(() => {
    window.blocked = [];
    addEventListener("securitypolicyviolation", (event) => window.blocked.push(event.blockedURI));
  });
  await page.clock.install();
  await page.goto(url);
  await page.waitForFunction(() => !document.querySelector("#status").textContent.endsWith("…"));
  const answers = [];
  for (const words of texts) {
    await page.fill("textarea", words);
    await page.click("button");
    answers.push(
      await page.$$eval("li", (items) =>
        Object.fromEntries(
          items.map((li) => [
            li.querySelector(".name").textContent,
            li.querySelector("meter").value,
          ]),
        ),
      ),
    );
  }
  if (screenshot) await page.screenshot({ path: screenshot });
  const status = await page.textContent("#status");
  const latency = await page.textContent("#latency");
  await page.clock.fastForward("01:01"); // MediaPipe sends its usage statistics once a minute
  const blocked = await page.evaluate(() => window.blocked);
  console.log(JSON.stringify({ status, answers, latency, requests, blocked }));
} finally {
  await browser.close();
}
