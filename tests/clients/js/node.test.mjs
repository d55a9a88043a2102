// The SDK against a real node (CAIRN_BIN): blocks and files. Chains: chains.test.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { Cairn, getBlocks, parseId, putBlocks, toCid } from "../../../clients/js/dist/index.js";
import { kBin, startNode } from "./real_node.mjs";
import { failureOf, randomBytesOf, seeded, text, utf8 } from "./support.mjs";

const skip = kBin ? false : "CAIRN_BIN is not set";

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
