// The layers that the README of clients/js draws, and the limits on its files.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const kSource = fileURLToPath(new URL("../../../clients/js/src", import.meta.url));
const kMaxLines = 400;
const kMaxColumns = 100;

/** What the files of a folder may import, beside their own folder. */
const kBelow = {
  base: [],
  formats: ["base"],
  keep: ["base", "formats"],
  node: ["base", "formats", "keep"],
  files: ["base", "formats", "node"],
  chains: ["base", "formats", "keep", "node"],
  accounts: ["base", "formats", "keep", "node", "chains", ""],
};
const kPackages = /^(@noble\/(ciphers|curves|hashes)\/|#webcrypto$)/;

const folderOf = (path) => (path.includes("/") ? path.split("/")[0] : "");
const files = Object.keys(kBelow).flatMap((folder) =>
  readdirSync(join(kSource, folder)).map((name) => `${folder}/${name}`),
);

test("Layers.EachFolderImportsOnlyFromThoseBelow", () => {
  let seen = 0;
  for (const path of files) {
    const folder = folderOf(path);
    const source = readFileSync(join(kSource, path), "utf8");
    for (const [, name] of source.matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      seen++;
      if (!name.startsWith(".")) {
        assert.match(name, kPackages, path);
        continue;
      }
      const target = folderOf(relative(kSource, join(kSource, dirname(path), name)));
      assert.ok(target === folder || kBelow[folder].includes(target), `${path} imports ${name}`);
    }
  }
  assert.ok(seen > 100);
});

test("Files.AreShortAndSayWhatTheyAre", () => {
  for (const path of files) {
    const lines = readFileSync(join(kSource, path), "utf8").split("\n");
    assert.ok(lines.length <= kMaxLines, `${path} has ${lines.length} lines`);
    assert.ok(
      lines.every(({ length }) => length <= kMaxColumns),
      `${path} has a long line`,
    );
    assert.match(lines[0], /^\/\/ /, `${path} does not say what it is`);
  }
});
