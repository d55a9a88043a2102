// A node and a browser for the tests: starts `cairn serve` on free ports with a directory of its
// own, starts headless Chromium, and watches every page for what must never happen.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const kRoot = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const kReadyDeadlineMs = 20_000;
const kStopDeadlineMs = 10_000;
const kStepDeadlineMs = 20_000;
/** Not a loopback name, so that a browser gives it no secure context; still this machine. */
export const kPlainHost = "cairn.test";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const kOut = join(kRoot, "tests/e2e/out");
mkdirSync(kOut, { recursive: true });

/** @param {string} name @returns {string} where a screenshot of that name is kept */
export function screenshotPath(name) {
  return join(kOut, `welcome-${name}.png`);
}

/** @param {{ write?: string, blockBytes?: string }} options as the configuration's keys */
function configurationIn(directory, { write = "anyone", blockBytes = "1MiB" }) {
  const path = join(directory, "cairn.toml");
  const text = `
[node]
data_dir = ${JSON.stringify(join(directory, "var"))}
[listen]
http = ["127.0.0.1:0"]
admin = "127.0.0.1:0"
[[site]]
hosts = ["*"]
root = ${JSON.stringify(join(kRoot, "examples/welcome"))}
spa = true
write = ${JSON.stringify(write)}
[limits]
block_bytes = ${JSON.stringify(blockBytes)}
`;
  writeFileSync(path, text);
  return path;
}

/** The environment without what would configure a node. */
function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("CAIRN_") && !["NOTIFY_SOCKET", "WATCHDOG_USEC"].includes(name),
  );
  return Object.fromEntries(kept);
}

/** Resolves with the port of the ready line. */
function readyPort(child, log) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`the node ${why}; it said:\n${log.join("")}`));
    const timer = setTimeout(() => fail("was not ready in time"), kReadyDeadlineMs);
    const onEnd = (code) => fail(`ended with ${code} before it was ready`);
    let text = "";
    child.on("error", reject);
    child.on("exit", onEnd);
    child.stdout.on("data", (part) => {
      text += part;
      const port = /^ready .*\bhttp=127\.0\.0\.1:(\d+)/m.exec(text)?.[1];
      if (!port) return;
      clearTimeout(timer);
      child.off("exit", onEnd);
      resolve(Number(port));
    });
  });
}

/** Starts a node; stop() ends it with SIGTERM and fails when it does not end well. */
export async function startNode(options = {}) {
  const binary = process.env.CAIRN_BIN;
  assert.ok(binary, "set CAIRN_BIN to the cairn binary, such as build/dev/cairn");
  const directory = mkdtempSync(join(tmpdir(), "cairn-welcome-"));
  const child = spawn(binary, ["serve", "--config", configurationIn(directory, options)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnvironment(),
  });
  // Also when the run is ended from outside: nothing is left behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const log = [];
  child.stdout.on("data", (part) => log.push(part));
  child.stderr.on("data", (part) => log.push(part));
  let port;
  try {
    port = await readyPort(child, log);
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  const ended = new Promise((resolve) =>
    child.on("exit", (code, signal) => resolve(code ?? signal)),
  );
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), kStopDeadlineMs);
    const end = await ended;
    clearTimeout(timer);
    rmSync(directory, { recursive: true, force: true });
    assert.equal(end, 0, `the node ended with ${end}; it said:\n${log.join("")}`);
  };
  return { origin: `http://127.0.0.1:${port}`, port, stop };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${kPlainHost} 127.0.0.1`,
    ],
  });
}

/**
 * A page in a profile of its own. Whatever it must never do is collected, and close() fails on it:
 * script errors, console errors, policy violations, requests to anywhere but its own origin.
 * @param {object} [options] for the browser context
 */
export async function openPage(browser, origin, path = "/", options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  context.setDefaultTimeout(kStepDeadlineMs);
  const page = await context.newPage();
  const wrongs = [];
  const requests = [];
  // What a test provokes on purpose, such as a refused request, is written to the console too.
  const expected = [];
  page.on("pageerror", (error) => wrongs.push(`script error: ${error}`));
  page.on("console", (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (["error", "warning"].includes(message.type())) wrongs.push(`console: ${text}`);
  });
  context.on("request", (request) => {
    requests.push(request);
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "blob:") wrongs.push(`request to ${url}`);
  });
  await context.exposeFunction("reportViolation", (text) => wrongs.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(origin + path);
  const close = async () => {
    await context.close();
    const left = wrongs.filter((wrong) => !expected.some((pattern) => pattern.test(wrong)));
    assert.deepEqual(left, []);
  };
  return { page, context, requests, expect: (pattern) => expected.push(pattern), close };
}
