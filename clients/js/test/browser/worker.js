import { answer } from "./answer.js";

addEventListener("message", async ({ data }) => {
  try {
    postMessage(await answer(...data));
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
