// Builds the welcome site: bundles the scripts and the style under hashed names, writes
// precompressed siblings, and puts index.html in last, so that whoever is served meanwhile gets one
// whole version or the other. Usage: node build.mjs [target], default examples/welcome.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "esbuild";

const kHere = dirname(fileURLToPath(import.meta.url));
const kTarget = resolve(process.argv[2] ?? join(kHere, "../../welcome"));
const kAssets = join(kTarget, "assets");

/** @param {string} entry @returns {Promise<Buffer>} */
async function bundle(entry) {
  const result = await build({
    entryPoints: [join(kHere, entry)],
    bundle: true,
    write: false,
    minify: true,
    format: entry.endsWith(".js") ? "esm" : undefined,
    target: ["chrome111", "firefox114", "safari16.4"],
    legalComments: "eof",
    logLevel: "warning",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/**
 * Writes a file and its .br and .gz siblings, each by rename; the plain file last.
 * @param {string} path @param {Buffer} bytes @returns {Promise<string[]>} what was written
 */
async function writeWithSiblings(path, bytes) {
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  const versions = [
    [`${path}.br`, brotli],
    [`${path}.gz`, gzipSync(bytes, { level: 9 })],
    [path, bytes],
  ];
  for (const [name, content] of versions) {
    const draft = join(dirname(name), `.draft-${process.pid}`);
    await writeFile(draft, content, { mode: 0o644 });
    await rename(draft, name);
  }
  console.log(`${path.slice(kTarget.length + 1)}  ${bytes.length} B, ${brotli.length} B as brotli`);
  return versions.map(([name]) => name);
}

/** @param {string} stem @param {string} suffix @param {Buffer} bytes */
async function writeAsset(stem, suffix, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const name = `${stem}-${hash}.${suffix}`;
  const written = await writeWithSiblings(join(kAssets, name), bytes);
  return { url: `/assets/${name}`, written };
}

await mkdir(kAssets, { recursive: true });
const app = await writeAsset("app", "js", await bundle("src/app.js"));
const worker = await writeAsset("sealer", "js", await bundle("src/sealer_worker.js"));
const style = await writeAsset("style", "css", await bundle("style.css"));
await writeWithSiblings(join(kTarget, "favicon.svg"), await readFile(join(kHere, "favicon.svg")));
const page = (await readFile(join(kHere, "index.html"), "utf8"))
  .replace("%STYLE%", style.url)
  .replace("%APP%", app.url)
  .replace("%WORKER%", worker.url);
await writeWithSiblings(join(kTarget, "index.html"), Buffer.from(page));

const current = new Set([app, worker, style].flatMap(({ written }) => written));
for (const name of await readdir(kAssets)) {
  const path = join(kAssets, name);
  if (!current.has(path)) await rm(path);
}
