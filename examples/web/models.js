// The worker's calls, as promises.

const script = new URL("worker.js", import.meta.url);
// A worker that is made of a blob obeys this page's Content-Security-Policy; one of an address does
// not.
const start = `self.base = ${JSON.stringify(script)}; importScripts(self.base);`;
const worker = new Worker(URL.createObjectURL(new Blob([start], { type: "text/javascript" })));
const waiting = [];

worker.onmessage = ({ data: { number, result, error } }) => {
  const { resolve, reject } = waiting[number];
  delete waiting[number];
  if (error === undefined) resolve(result);
  else reject(new Error(error));
};

export const call = (name, values) =>
  new Promise((resolve, reject) => {
    const number = waiting.push({ resolve, reject }) - 1;
    worker.postMessage({ number, call: name, values });
  });
