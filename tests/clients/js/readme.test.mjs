// The example of the README runs, and prints what it says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { nodeFor } from "./support.mjs";

const kSdk = new URL("../../../clients/js/", import.meta.url);
const block = (text, language) =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms").exec(text)[1];

test("Readme.ExamplePrintsWhatItSays", async (t) => {
  const { node } = await nodeFor(t);
  const readme = readFileSync(new URL("README.md", kSdk), "utf8");
  const source = block(readme, "js")
    .replace("@cairn/client", new URL("dist/index.js", kSdk).href)
    .replaceAll("http://127.0.0.1:8080", node.url);
  const printed = [];
  t.mock.method(console, "log", (...words) => printed.push(words.join(" ")));
  await import(`data:text/javascript,${encodeURIComponent(source)}`);
  assert.equal(`${printed.join("\n")}\n`, block(readme, "text"));
});
