// Bundles what a browser loads, prints its size, and fails where it is over the limit or holds what
// a strict content security policy forbids. Usage: node size.mjs

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const kLimitBytes = 35 * 1024;
const kForbidden = [/\beval\s*\(/, /\bnew Function\b/, /\bWebAssembly\b/, /\bimport\s*\(/];

const result = await build({
  entryPoints: [fileURLToPath(new URL("dist/index.js", import.meta.url))],
  bundle: true,
  write: false,
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox114", "safari16.4"],
  logLevel: "warning",
});
const bundle = Buffer.from(result.outputFiles[0].contents);
const size = gzipSync(bundle, { level: 9 }).length;
console.log(`core bundle: ${bundle.length} B, ${size} B as gzip; the limit is ${kLimitBytes} B`);
const found = kForbidden.filter((pattern) => pattern.test(bundle.toString()));
if (found.length > 0) console.error(`the bundle holds ${found.join(", ")}`);
process.exitCode = size > kLimitBytes || found.length > 0 ? 1 : 0;
