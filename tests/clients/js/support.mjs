// What several tests need: a node for the time of a test, seeded randomness, and readers.

import test from "node:test";

import { FakeNode } from "./fake_node.mjs";
import { kBin, startNode } from "./real_node.mjs";
import { Cairn } from "../../../clients/js/dist/index.js";

/** A fake node that ends with the test, and a client of it that does not wait between attempts. */
export async function nodeFor(t, options = {}) {
  const node = await FakeNode.start();
  t.after(() => node.stop());
  return { node, cairn: clientOf(node, options) };
}

/** A test that takes a node as an honest one is: run on the fake and, with CAIRN_BIN, on the real. */
export function onEveryNode(name, body) {
  test(name, async (t) => body(t, await nodeFor(t)));
  const skip = kBin ? false : "CAIRN_BIN is not set";
  test(`${name}, real node`, { skip }, async (t) => {
    const node = { url: await startNode(t) };
    await body(t, { node, cairn: clientOf(node) });
  });
}

export function clientOf(node, options = {}) {
  return new Cairn({ url: node.url, ...options });
}

/** Pauses between attempts (200 ms to 3 s) take no time in this test. */
export function hurry(t) {
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, "setTimeout", (call, ms, ...rest) =>
    setTimeout(call, ms >= 200 && ms <= 3000 ? 0 : ms, ...rest),
  );
}

/** mulberry32: the same sequence for the same seed. Numbers in [0, 1). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomBytesOf(random, size) {
  return Uint8Array.from({ length: size }, () => random() * 256);
}

export const text = (bytes) => new TextDecoder().decode(bytes);
export const utf8 = (value) => new TextEncoder().encode(value);

/** The payloads of a chain's entries, as text. */
export async function payloadsOf(chain, options) {
  const payloads = [];
  for await (const entry of chain.entries(options)) payloads.push(text(entry.payload));
  return payloads;
}

/** The error that a call rejects with. */
export async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}
