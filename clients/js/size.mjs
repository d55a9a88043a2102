// Bundles a website that imports Cairn, prints the sizes, and fails where what a browser loads at
// first is over the limit, or where any of it is forbidden by a strict content security policy.
// Usage: node size.mjs

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const kLimitBytes = 35 * 1024;
const kForbidden = [/\beval\s*\(/, /\bnew Function\b/, /\bWebAssembly\b/];

const { outputFiles, metafile } = await build({
  stdin: {
    contents: 'export { Cairn } from "./dist/index.js";',
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  },
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
  outdir: "out",
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox114", "safari16.4"],
  logLevel: "warning",
});

/** The entry and what it imports at once. */
function atFirst() {
  const names = Object.keys(metafile.outputs);
  const wanted = new Set(names.filter((name) => metafile.outputs[name].entryPoint === "<stdin>"));
  for (const name of wanted) {
    for (const { path, kind } of metafile.outputs[name].imports) {
      if (kind === "import-statement") wanted.add(path);
    }
  }
  return names.map((name) => wanted.has(name));
}

const first = atFirst();
const core = Buffer.concat(outputFiles.filter((_, i) => first[i]).map((file) => file.contents));
const later = Buffer.concat(outputFiles.filter((_, i) => !first[i]).map((file) => file.contents));
const coreBytes = gzipSync(core, { level: 9 }).length;
const laterBytes = gzipSync(later, { level: 9 }).length;
console.log(`core: ${core.length} B, ${coreBytes} B as gzip, of ${kLimitBytes} B allowed`);
console.log(
  `loaded when it is needed (subscribe, rotate, a chain cut short): ${laterBytes} B as gzip`,
);
const found = kForbidden.filter((pattern) => pattern.test(core + later));
if (found.length > 0) console.error(`the bundle holds ${found.join(", ")}`);
process.exitCode = coreBytes > kLimitBytes || found.length > 0 ? 1 : 0;
