// The text forms: share links, file indexes, the list in local storage, and the sample.
// Run: tests/examples/run

import assert from "node:assert/strict";
import test from "node:test";

import {
  entropyBits,
  fromBase64Url,
  toBase64Url,
} from "../../../examples/src/welcome/src/bytes.js";
import { decodeIndex, encodeIndex } from "../../../examples/src/welcome/src/file_index.js";
import { formatBytes, formatMs } from "../../../examples/src/welcome/src/format.js";
import { sampleBitmap } from "../../../examples/src/welcome/src/sample.js";
import { parseShareLink, shareLink } from "../../../examples/src/welcome/src/share_link.js";
import { Shelf } from "../../../examples/src/welcome/src/shelf.js";

const kId = "0123456789abcdef".repeat(4);
const kRead = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const kIndex = { name: "a.txt", type: "text/plain", size: 150, chunk: 100, blocks: [kId, kId] };

test("ShareLink.WrittenThenReadIsTheSame", () => {
  const link = new URL(shareLink("https://node.example", { id: kId, read: kRead }));
  assert.equal(link.pathname + link.search, "/");
  assert.deepEqual(parseShareLink(link.hash), { kind: "file", file: { id: kId, read: kRead } });
});

test("ShareLink.OtherFragmentsAreNone", () => {
  for (const hash of ["", "#", "#main", "#read=abc"]) {
    assert.equal(parseShareLink(hash).kind, "none");
  }
});

test("ShareLink.CutOrChangedIsDamaged", () => {
  const whole = new URL(shareLink("https://node.example", { id: kId, read: kRead })).hash;
  for (let length = "#file=".length; length < whole.length; length++) {
    assert.equal(parseShareLink(whole.slice(0, length)).kind, "damaged", `length ${length}`);
  }
  assert.equal(parseShareLink(`${whole}A`).kind, "damaged");
  assert.equal(parseShareLink(whole.replace("abcdef", "ABCDEF")).kind, "damaged");
});

test("Base64Url.OnlyTheCanonicalSpellingIsRead", () => {
  assert.deepEqual(fromBase64Url(toBase64Url(kRead)), kRead);
  for (const text of ["AA==", "AB", "A", "A+", "A/", "A A"])
    assert.equal(fromBase64Url(text), null);
});

test("FileIndex.EncodedThenDecodedIsTheSame", () => {
  assert.deepEqual(decodeIndex(encodeIndex(kIndex)), kIndex);
  const empty = { ...kIndex, size: 0, blocks: [] };
  assert.deepEqual(decodeIndex(encodeIndex(empty)), empty);
});

test("FileIndex.FieldOfWrongKindIsRefused", () => {
  const wrong = [
    { name: 1 },
    { name: "x".repeat(1025) },
    { type: null },
    { size: -1 },
    { size: 1.5 },
    { size: 201 },
    { size: 100 },
    { chunk: 0 },
    { blocks: [kId] },
    { blocks: [kId, "AB"] },
    { blocks: "no" },
  ];
  for (const change of wrong) {
    const bytes = encodeIndex({ ...kIndex, ...change });
    assert.throws(() => decodeIndex(bytes), /not the index/, JSON.stringify(change));
  }
  for (const text of ["", "null", "[]", "{", '{"format":"other"}']) {
    assert.throws(() => decodeIndex(new TextEncoder().encode(text)), /not the index/);
  }
});

class FakeStorage {
  constructor() {
    this.values = new Map();
    this.full = false;
  }
  getItem(key) {
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    if (this.full) throw new Error("no room");
    this.values.set(key, value);
  }
}

const entry = (id) => ({
  id,
  read: kRead,
  name: "a",
  type: "",
  size: 1,
  blocks: 1,
  storedBytes: 200,
  time: 5,
  shared: false,
});

test("Shelf.AddedEntriesAreThereAgainNewestFirst", () => {
  const storage = new FakeStorage();
  const shelf = new Shelf(storage);
  shelf.add(entry(kId));
  shelf.add(entry("f".repeat(64)));
  assert.deepEqual(new Shelf(storage).entries, [entry("f".repeat(64)), entry(kId)]);
});

test("Shelf.RemovedEntryLeavesNoKeyBehind", () => {
  const storage = new FakeStorage();
  const shelf = new Shelf(storage);
  shelf.add(entry(kId));
  shelf.remove(kId);
  assert.deepEqual(shelf.entries, []);
  assert.ok(![...storage.values.values()].join().includes(toBase64Url(kRead)));
});

test("Shelf.EntryAddedByAnotherTabIsKept", () => {
  const storage = new FakeStorage();
  const one = new Shelf(storage);
  const other = new Shelf(storage);
  one.add(entry(kId));
  other.add(entry("f".repeat(64)));
  assert.equal(other.entries.length, 2);
});

test("Shelf.DamagedStorageIsPassedOver", () => {
  for (const text of ["{", "7", '[null,{"id":"x"}]']) {
    const storage = new FakeStorage();
    storage.values.set("cairn.welcome.files.1", text);
    const shelf = new Shelf(storage);
    assert.deepEqual(shelf.entries, []);
    shelf.add(entry(kId));
    assert.deepEqual(new Shelf(storage).entries, [entry(kId)]);
  }
});

test("Shelf.WithoutRoomTheListLivesOnInThePage", () => {
  const storage = new FakeStorage();
  const shelf = new Shelf(storage);
  storage.full = true;
  shelf.add(entry(kId));
  shelf.add(entry("f".repeat(64)));
  assert.equal(shelf.lasting, false);
  assert.equal(shelf.entries.length, 2);
});

test("Sample.IsABitmapThatLooksNothingLikeNoise", () => {
  const bytes = sampleBitmap();
  assert.equal(String.fromCharCode(bytes[0], bytes[1]), "BM");
  assert.equal(new DataView(bytes.buffer).getUint32(2, true), bytes.length);
  assert.ok(entropyBits(bytes) < 7.7, `${entropyBits(bytes)} bits`);
});

test("Entropy.OfKnownBytesIsKnown", () => {
  assert.equal(entropyBits(new Uint8Array(100)), 0);
  assert.equal(entropyBits(Uint8Array.from({ length: 256 }, (_, i) => i)), 8);
  assert.equal(entropyBits(new Uint8Array(0)), 0);
});

test("Format.BytesAndTimesAsPeopleReadThem", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(1536), "1.5 KiB");
  assert.equal(formatBytes(256 * 1024 * 1024), "256 MiB");
  assert.equal(formatMs(1.26), "1.3 ms");
  assert.equal(formatMs(1500), "1.5 s");
});
