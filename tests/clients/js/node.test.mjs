// The SDK against a real node (CAIRN_BIN), as far as the node goes: blocks and files.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";

import { Cairn, getBlocks, parseId, putBlocks, toCid } from "../../../clients/js/dist/index.js";
import { failureOf, randomBytesOf, seeded, text, utf8 } from "./support.mjs";

const kBin = process.env.CAIRN_BIN;
const skip = kBin ? false : "CAIRN_BIN is not set";

/** Starts a node for the time of a test; its ready line names the port. */
async function startNode(t, ...settings) {
  const directory = await mkdtemp(join(tmpdir(), "cairn-sdk-"));
  const sets = [
    "listen.http=127.0.0.1:0",
    "listen.admin=",
    `node.data_dir=${directory}`,
    ...settings,
  ];
  const node = spawn(kBin, ["serve", ...sets.flatMap((set) => ["--set", set])], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(async () => {
    const exit = once(node, "exit");
    node.kill("SIGTERM");
    await exit;
    await rm(directory, { recursive: true });
  });
  for await (const line of createInterface(node.stdout)) {
    const ready = /^ready http=(\S+)/.exec(line);
    if (ready) return `http://${ready[1]}`;
  }
  throw new Error("the node ended before it was ready");
}

test("Node.BlocksThereAndBack", { skip }, async (t) => {
  const { blocks } = new Cairn({ url: await startNode(t) });
  const id = await blocks.put(utf8("block"));
  assert.equal(await blocks.put(utf8("block")), id, "again is a success");
  assert.equal(text((await blocks.get(parseId(toCid(id)))).bytes), "block");
  assert.match((await blocks.get(id)).source, /^(memory|storage)$/);
  assert.equal(await blocks.head(id), 5);
  const absent = "ab".repeat(32);
  assert.equal(await blocks.head(absent), undefined);
  assert.deepEqual(await blocks.missing([id, absent]), new Set([absent]));
  const error = await failureOf(blocks.get(absent));
  assert.deepEqual([error.code, error.problem.type], ["not-held", "/problems/not-held"]);
});

test("Node.ManyBlocksInFewCalls", { skip }, async (t) => {
  const { blocks } = new Cairn({ url: await startNode(t) });
  const random = seeded(1);
  const all = Array.from({ length: 1500 }, () => randomBytesOf(random, 1 + random() * 2000));
  const ids = await putBlocks(blocks, all);
  let count = 0;
  for await (const { id, bytes } of getBlocks(blocks, ids)) {
    assert.equal(id, ids[count]);
    assert.deepEqual(bytes, all[count++]);
  }
  assert.equal(count, all.length);
});

test("Node.FileThereAndBack", { skip }, async (t) => {
  const { files } = new Cairn({ url: await startNode(t) });
  const bytes = randomBytesOf(seeded(2), 5_000_000);
  const put = await files.put(new Blob([bytes], { type: "text/plain" }), { name: "five" });
  const file = await files.open(put);
  assert.deepEqual([file.name, file.type, file.size], ["five", "text/plain", bytes.length]);
  assert.deepEqual(
    await file.bytes({ start: 999_999, end: 4_000_001 }),
    bytes.slice(999_999, 4_000_001),
  );
});

test("Node.SmallerLimitMakesSmallerBlocks", { skip }, async (t) => {
  const { blocks, files } = new Cairn({ url: await startNode(t, "limits.block_bytes=64KiB") });
  assert.equal((await failureOf(blocks.put(new Uint8Array(65_537)))).code, "too-large");
  const bytes = randomBytesOf(seeded(3), 300_000);
  assert.deepEqual(await (await files.open(await files.put(bytes))).bytes(), bytes);
});

test("Node.SiteThatTakesNoBlocksSaysSo", { skip }, async (t) => {
  const { blocks } = new Cairn({ url: await startNode(t, "site.write=nobody") });
  const error = await failureOf(blocks.put(utf8("x")));
  assert.deepEqual([error.code, error.problem.type], ["denied", "/problems/writes-closed"]);
});
