// What is kept on the client: the cache that checks what it reads, and IndexedDB beneath it.

import assert from "node:assert/strict";
import test from "node:test";

import { blockIdOf, Cairn, VerifyingCache } from "../../../clients/js/dist/index.js";
import { IndexedDbShelf, IndexedDbStore } from "../../../clients/js/dist/indexeddb.js";
import { indexedDB } from "./idb_shim.mjs";
import { clientOf, failureOf, nodeFor, payloadsOf, text, utf8 } from "./support.mjs";

globalThis.indexedDB = indexedDB;

test("Cache.BlockIsFetchedOnce", async (t) => {
  const { node } = await nodeFor(t);
  const cairn = clientOf(node, { cache: new IndexedDbShelf({ name: "once" }) });
  const id = await clientOf(node).blocks.put(utf8("block"));
  assert.equal((await cairn.blocks.get(id)).source, "memory");
  assert.equal((await cairn.blocks.get(id)).source, "cache");
  assert.equal(node.count(/GET/), 1);
  const own = await cairn.blocks.put(utf8("own"));
  assert.equal((await cairn.blocks.get(own)).source, "cache");
});

test("Cache.DamagedBlockIsDroppedAndFetchedAnew", async (t) => {
  const { node } = await nodeFor(t);
  const cairn = clientOf(node, { cache: new IndexedDbShelf({ name: "damaged" }) });
  const id = await cairn.blocks.put(utf8("block"));
  indexedDB.recordsOf("damaged", "blocks").set(id, utf8("other"));
  const { bytes, source } = await cairn.blocks.get(id);
  assert.deepEqual([text(bytes), source], ["block", "memory"]);
  assert.equal((await cairn.blocks.get(id)).source, "cache");
});

test("Cache.ThatFailsIsAsGoodAsEmpty", async (t) => {
  const { node } = await nodeFor(t);
  const fails = async () => {
    throw new Error("QuotaExceededError");
  };
  const cairn = new Cairn({ url: node.url, cache: { get: fails, put: fails, delete: fails } });
  const id = await cairn.blocks.put(utf8("block"));
  assert.equal(text((await cairn.blocks.get(id)).bytes), "block");
});

test("Shelf.WhatWasNotUsedForLongestGoesFirst", async (t) => {
  let now = 0;
  t.mock.method(Date, "now", () => ++now);
  const shelf = new IndexedDbShelf({ name: "budget", budgetBytes: 1000 });
  const blocks = [1, 2, 3, 4].map((fill) => new Uint8Array(300).fill(fill));
  const ids = await Promise.all(blocks.map(blockIdOf));
  const held = () => ids.map((id) => indexedDB.recordsOf("budget", "blocks").has(id));
  for (const i of [0, 1, 2]) await shelf.put(ids[i], blocks[i]);
  await shelf.get(ids[0]);
  await shelf.put(ids[3], blocks[3]);
  assert.deepEqual(held(), [true, false, true, true]);
  await shelf.put(ids[3], blocks[3]);
  assert.deepEqual(held(), [true, false, true, true], "the same again takes no room");
  await shelf.put("big", new Uint8Array(1001));
  assert.equal(await shelf.get("big"), undefined);
  await shelf.delete(ids[0]);
  assert.equal(await shelf.get(ids[0]), undefined);
  await shelf.put(ids[1], blocks[1]);
  assert.deepEqual(held(), [false, true, true, true]);
});

test("Cache.CountsWhatWasDamaged", async () => {
  const shelf = new IndexedDbShelf({ name: "count" });
  const cache = new VerifyingCache(shelf);
  await shelf.put("00".repeat(32), utf8("not that"));
  assert.equal(await cache.get("00".repeat(32)), undefined);
  assert.equal(cache.damaged, 1);
  assert.equal(await shelf.get("00".repeat(32)), undefined);
});

test("Store.HeadsAndOutboxOutlastTheVisit", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const { chain, capability } = await cairn.chains.create();
  const visit = async () => {
    const store = new IndexedDbStore("visits");
    return clientOf(node, { heads: store, outbox: store, attempts: 1 }).chains.open(capability);
  };
  await (await visit()).append(utf8("a"));
  node.refuse = () => "cut";
  assert.equal((await (await visit()).append(utf8("b"))).state, "queued");
  node.refuse = () => undefined;
  await (await visit()).flush();
  assert.deepEqual(await payloadsOf(chain), ["a", "b"]);
  node.chains.delete(chain.id);
  assert.equal((await failureOf((await visit()).sync())).code, "rollback");
});
