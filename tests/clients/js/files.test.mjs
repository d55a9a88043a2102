// Files of every size, from every source, there and back.

import assert from "node:assert/strict";
import test from "node:test";

import { decodeRoot, encodeRoot, fanoutOf } from "../../../clients/js/dist/files/file_index.js";
import { StoredFile } from "../../../clients/js/dist/files/file_reader.js";
import { FileWriter } from "../../../clients/js/dist/files/file_writer.js";
import { kOwnThread } from "../../../clients/js/dist/files/sealer.js";
import { blockKeyOf, Cairn, sealBlock } from "../../../clients/js/dist/index.js";
import { clientOf, failureOf, nodeFor, randomBytesOf, seeded, utf8 } from "./support.mjs";

const kMiB = 1024 * 1024;
const kChunk = 1_032_191;

/** Blocks in memory: what FileWriter and StoredFile ask of a node. */
class MemoryBlocks {
  held = new Map();
  underWay = 0;
  most = 0;

  async put(bytes) {
    this.most = Math.max(this.most, ++this.underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.underWay--;
    const id = await idOf(bytes);
    this.held.set(id, bytes);
    return id;
  }

  async get(id) {
    return { id, bytes: this.held.get(id) ?? assert.fail(`${id} is not held`), source: "" };
  }

  async missing(ids) {
    return new Set([...ids].filter((id) => !this.held.has(id)));
  }
}

async function idOf(bytes) {
  const { blockIdOf } = await import("../../../clients/js/dist/index.js");
  return blockIdOf(bytes);
}

async function write(blocks, source, { chunkBytes, secret, name = "", type = "" }) {
  const onBlock = () => {};
  const job = { source, name, type, secret, chunkBytes, width: 3, resumes: false, onBlock };
  return { ...(await new FileWriter(blocks, kOwnThread, job).write()), secret };
}

function streamOf(bytes, random) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = 1 + Math.floor(random() * 700);
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

test("Files.AFileIsTheSameAfterwards", async (t) => {
  const { cairn } = await nodeFor(t);
  const bytes = randomBytesOf(seeded(2), 2.5 * kMiB);
  const blob = new Blob([bytes], { type: "image/png" });
  const progress = [];
  const put = await cairn.files.put(blob, { name: "ü.png", onProgress: (p) => progress.push(p) });
  assert.deepEqual(put.ids.length, 4);
  assert.equal(progress.length, 4);
  assert.deepEqual(progress.at(-1), { bytes: bytes.length, totalBytes: bytes.length, blocks: 4 });
  const file = await cairn.files.open(put);
  assert.deepEqual(
    [file.name, file.type, file.size, file.blockCount],
    ["ü.png", "image/png", bytes.length, 3],
  );
  assert.deepEqual(await file.bytes(), bytes);
  const again = await file.blob();
  assert.equal(again.type, "image/png");
  assert.deepEqual(new Uint8Array(await again.arrayBuffer()), bytes);
});

test("Files.EverySourceGivesTheSameBlocksUnderTheSameSecret", async (t) => {
  const { cairn } = await nodeFor(t);
  const bytes = randomBytesOf(seeded(3), kChunk + 5);
  const secret = new Uint8Array(32).fill(1);
  const sources = [bytes, bytes.buffer, new Blob([bytes]), streamOf(bytes, seeded(4))];
  const ids = new Set();
  for (const source of sources) ids.add((await cairn.files.put(source, { secret })).id);
  assert.equal(ids.size, 1);
  assert.notEqual((await cairn.files.put(bytes)).id, [...ids][0], "a secret of its own");
});

test("Files.EdgesOfChunks", async (t) => {
  const { cairn } = await nodeFor(t);
  for (const size of [0, 1, kChunk - 1, kChunk, kChunk + 1]) {
    const bytes = randomBytesOf(seeded(size), size);
    const file = await cairn.files.open(await cairn.files.put(bytes));
    assert.equal(file.blockCount, Math.ceil(size / kChunk));
    assert.deepEqual(await file.bytes(), bytes, `${size} bytes`);
  }
});

test("Files.TreesOfEveryDepthReadAnyRange", async () => {
  const random = seeded(5);
  for (let round = 0; round < 60; round++) {
    const blocks = new MemoryBlocks();
    const chunkBytes = 256 + Math.floor(random() * 64);
    const bytes = randomBytesOf(random, Math.floor(random() ** 3 * 120_000));
    const secret = randomBytesOf(random, 32);
    const source = round % 2 ? bytes : streamOf(bytes, random);
    const put = await write(blocks, source, { chunkBytes, secret, name: "n", type: "t/t" });
    assert.equal(put.ids.length, blocks.held.size);
    assert.ok(blocks.most <= 3);
    const file = await StoredFile.open(blocks, kOwnThread, put, 3);
    assert.deepEqual(await file.bytes(), bytes);
    for (let i = 0; i < 8; i++) {
      const start = Math.floor(random() * (bytes.length + 1));
      const end = start + Math.floor(random() * (bytes.length + 1 - start));
      assert.deepEqual(await file.bytes({ start, end }), bytes.slice(start, end));
    }
  }
});

test("Files.LargeFileHasADeepIndexAndBoundedMemory", async () => {
  const blocks = new MemoryBlocks();
  const chunkBytes = 256;
  const size = chunkBytes * fanoutOf(chunkBytes) ** 3 + 1;
  const bytes = randomBytesOf(seeded(6), size);
  const put = await write(blocks, bytes, { chunkBytes, secret: new Uint8Array(32) });
  const file = await StoredFile.open(blocks, kOwnThread, put, 3);
  assert.deepEqual(await file.bytes({ start: size - 300 }), bytes.slice(-300));
});

test("Files.StreamOfAPartFetchesOnlyThatPart", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const bytes = randomBytesOf(seeded(7), 5 * kMiB);
  const file = await cairn.files.open(await cairn.files.put(bytes));
  node.requests.length = 0;
  const reader = file.stream({ start: 2 * kChunk + 10, end: 2 * kChunk + 20 }).getReader();
  const { value } = await reader.read();
  assert.deepEqual(value, bytes.slice(2 * kChunk + 10, 2 * kChunk + 20));
  assert.equal((await reader.read()).done, true);
  assert.equal(node.requests.length, 1);
  assert.throws(() => file.stream({ start: 3, end: 2 }), RangeError);
  assert.throws(() => file.stream({ start: -1 }), RangeError);
  assert.throws(() => file.stream({ start: file.size + 1 }), RangeError);
});

test("Files.CancelledStreamFetchesNoMore", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const file = await cairn.files.open(await cairn.files.put(new Uint8Array(12 * kMiB)));
  node.requests.length = 0;
  const reader = file.stream().getReader();
  await reader.read();
  await reader.cancel();
  assert.ok(node.requests.length <= 5, "one, and those that were ahead of it");
});

test("Files.CutOffPutGoesOnWithWhatIsMissing", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const bytes = randomBytesOf(seeded(8), 6 * kMiB);
  const secret = new Uint8Array(32).fill(2);
  const stop = new AbortController();
  const onProgress = ({ blocks }) => blocks === 3 && stop.abort();
  const cut = await failureOf(cairn.files.put(bytes, { secret, signal: stop.signal, onProgress }));
  assert.equal(cut.name, "AbortError");
  const held = node.blocks.size;
  assert.ok(held >= 3 && held < 7);
  node.requests.length = 0;
  const put = await cairn.files.put(bytes, { secret });
  assert.equal(node.count(/PUT/), 8 - held);
  assert.deepEqual(await (await cairn.files.open(put)).bytes(), bytes);
});

test("Files.NodeThatTakesSmallerBlocksGetsSmallerBlocks", async (t) => {
  const { node, cairn } = await nodeFor(t);
  node.blockLimit = 64 * 1024;
  const bytes = randomBytesOf(seeded(9), 200_000);
  const put = await cairn.files.put(bytes);
  assert.deepEqual(await (await cairn.files.open(put)).bytes(), bytes);
  assert.ok([...node.blocks.values()].every(({ length }) => length <= node.blockLimit));
  node.requests.length = 0;
  await cairn.files.put(bytes);
  assert.equal(node.requests.length, put.ids.length, "it is known from then on");
  node.blockLimit = 1024;
  assert.equal(
    (await failureOf(clientOf(node).files.put(streamOf(bytes, seeded(1))))).code,
    "too-large",
  );
});

test("Files.FirstFailureIsTheOneThatIsTold", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const { FakeNode } = await import("./fake_node.mjs");
  let puts = 0;
  node.refuse = (method) => (method === "PUT" && ++puts === 3 ? FakeNode.busy(507) : undefined);
  assert.equal((await failureOf(cairn.files.put(new Uint8Array(9 * kMiB)))).code, "full");
  const broken = new ReadableStream({
    pull: (controller) => controller.error(new Error("unplugged")),
  });
  assert.match((await failureOf(cairn.files.put(broken))).message, /unplugged/);
});

test("Files.AnotherSecretOrWrongBytesOpenNothing", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const put = await cairn.files.put(utf8("text"), { name: "a" });
  const other = { id: put.id, secret: new Uint8Array(32) };
  assert.equal((await failureOf(cairn.files.open(other))).code, "not-opened");
  const file = await cairn.files.open(put);
  node.mangle.block = (bytes) => Buffer.concat([bytes, Buffer.from([0])]);
  assert.equal((await failureOf(file.bytes())).code, "wrong-bytes");
});

test("Index.OnlyTheOneEncodingIsRead", () => {
  const root = {
    name: "n",
    type: "t",
    size: 600,
    chunkBytes: 256,
    depth: 0,
    ids: ["aa", "bb", "cc"].map((x) => x.repeat(32)),
  };
  const raw = encodeRoot(root);
  assert.deepEqual(decodeRoot(raw), root);
  const random = seeded(10);
  const wrong = [
    raw.subarray(0, -1),
    raw.subarray(0, 19),
    Uint8Array.of(...raw, 0),
    new Uint8Array(0),
  ];
  for (const field of [0, 1, 2, 3, 4, 5, 9, 14, 16, 17, 18, 19]) {
    const changed = raw.slice();
    changed[field] ^= 0x80;
    wrong.push(changed);
  }
  for (let i = 0; i < 200; i++) wrong.push(randomBytesOf(random, random() * 200));
  for (const bytes of wrong) assert.throws(() => decodeRoot(bytes), { code: "malformed" });
  assert.throws(() => encodeRoot({ ...root, name: "x".repeat(1025) }), RangeError);
});

test("Index.ThatDoesNotFitItsBlocksIsRefused", async () => {
  const blocks = new MemoryBlocks();
  const secret = new Uint8Array(32);
  const key = blockKeyOf(secret);
  const put = async (plaintext) => blocks.put(sealBlock(plaintext, key));
  const ids = [await put(new Uint8Array(10))];
  const root = { name: "", type: "", size: 11, chunkBytes: 256, depth: 0, ids };
  const open = async (fields) => {
    const id = await put(encodeRoot({ ...root, ...fields }));
    return StoredFile.open(blocks, kOwnThread, { id, secret }, 1);
  };
  assert.equal((await failureOf((await open({})).bytes())).code, "malformed", "too short a block");
  const asNode = await open({ depth: 1 });
  assert.equal((await failureOf(asNode.bytes())).code, "malformed", "data where a node should be");
  assert.equal((await failureOf(open({ depth: 13 }))).code, "malformed");
  assert.equal((await (await open({ size: 10 })).bytes()).length, 10);
});

test("Sealer.IsAskedForEachBlock", async (t) => {
  const { node } = await nodeFor(t);
  const calls = [];
  const sealer = {
    seal: (...args) => (calls.push("seal"), kOwnThread.seal(...args)),
    open: (...args) => (calls.push("open"), kOwnThread.open(...args)),
  };
  const cairn = new Cairn({ url: node.url, sealer });
  await (await cairn.files.open(await cairn.files.put(utf8("x")))).bytes();
  assert.deepEqual(calls, ["seal", "seal", "open", "open"]);
});
