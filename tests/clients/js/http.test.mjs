// How the client speaks with a node: what it repeats, what it gives up on, and what it says then.

import assert from "node:assert/strict";
import test from "node:test";

import { getBlocks, putBlocks } from "../../../clients/js/dist/index.js";
import { parseRetryAfter } from "../../../clients/js/dist/node/wait.js";
import { FakeNode } from "./fake_node.mjs";
import {
  clientOf,
  failureOf,
  hurry,
  nodeFor,
  randomBytesOf,
  seeded,
  text,
  utf8,
} from "./support.mjs";

const kId = "ab".repeat(32);

/** What fetch does while a node is silent. */
function untilAborted(signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

/** Refuses the first `times` calls. */
function refuseFirst(node, times, problem) {
  node.refuse = () => (times-- > 0 ? problem : undefined);
}

test("Blocks.WhatIsPutIsGotByItsId", async (t) => {
  const { cairn } = await nodeFor(t);
  const id = await cairn.blocks.put(utf8("block"));
  assert.match(id, /^[0-9a-f]{64}$/);
  const block = await cairn.blocks.get(id);
  assert.deepEqual([text(block.bytes), block.source], ["block", "memory"]);
  assert.equal(await cairn.blocks.head(id), 5);
  assert.equal(await cairn.blocks.head(kId), undefined);
  assert.deepEqual(await cairn.blocks.missing([id, kId]), new Set([kId]));
  assert.equal((await failureOf(cairn.blocks.get(kId))).code, "not-held");
  assert.equal((await failureOf(cairn.blocks.get(kId.toUpperCase()))).code, "malformed");
});

test("Blocks.WrongBytesAreRefusedWithTheEvidence", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const id = await cairn.blocks.put(utf8("block"));
  node.mangle.block = () => Buffer.from("other");
  const error = await failureOf(cairn.blocks.get(id));
  assert.equal(error.code, "wrong-bytes");
  assert.equal(error.evidence.asked, id);
  assert.equal(text(error.evidence.bytes), "other");
});

test("Blocks.MissingMayNameOnlyWhatWasAsked", async (t) => {
  const { node, cairn } = await nodeFor(t);
  node.mangle.missing = () => ({ missing: [kId] });
  assert.equal((await failureOf(cairn.blocks.missing(["cd".repeat(32)]))).code, "bad-answer");
  node.mangle.missing = () => ({});
  assert.equal((await failureOf(cairn.blocks.missing([kId]))).code, "bad-answer");
});

test("ManyBlocks.GoInFewCallsAndComeBackInOrder", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const random = seeded(1);
  const blocks = Array.from({ length: 1200 }, () => randomBytesOf(random, 1 + random() * 300));
  const ids = await putBlocks(cairn.blocks, blocks);
  assert.equal(node.count(/batch/), 2);
  const got = [];
  for await (const { id, bytes } of getBlocks(cairn.blocks, [...ids, kId])) got.push([id, bytes]);
  assert.deepEqual(got, [...ids.map((id, i) => [id, blocks[i]]), [kId, undefined]]);
});

test("ManyBlocks.LiesAreRefused", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const ids = await putBlocks(cairn.blocks, [utf8("one"), utf8("two")]);
  const get = async () => {
    for await (const _ of getBlocks(cairn.blocks, ids));
  };
  const lies = {
    "wrong-bytes": (frames) => frames.fill(0, 36, 39),
    "bad-answer": (frames) => frames.subarray(0, -1),
  };
  for (const [code, lie] of Object.entries(lies)) {
    node.mangle.fetch = (frames) => lie(Buffer.from(frames));
    assert.equal((await failureOf(get())).code, code);
  }
  node.mangle.fetch = (frames) => Buffer.concat([frames.subarray(39), frames.subarray(0, 39)]);
  assert.equal((await failureOf(get())).code, "bad-answer", "another order");
  node.mangle.fetch = (frames) => Buffer.concat([frames, frames]);
  assert.equal((await failureOf(get())).code, "bad-answer", "more than was asked for");
  node.mangle.batch = ({ results }) => ({ results: results.map((one) => ({ ...one, id: kId })) });
  assert.equal((await failureOf(putBlocks(cairn.blocks, [utf8("x")]))).code, "bad-answer");
  node.mangle.batch = ({ results }) => ({
    results: results.map((one) => ({ ...one, status: 507 })),
  });
  assert.equal((await failureOf(putBlocks(cairn.blocks, [utf8("x")]))).code, "full");
});

test("Retry.BusyNodeIsAskedAgainWhenItSaysSo", async (t) => {
  const waits = [];
  const { node, cairn } = await nodeFor(t, {
    onWait: ({ error, ms }) => waits.push([error.code, ms]),
  });
  refuseFirst(node, 2, FakeNode.busy(503, { "Retry-After": "0" }));
  await cairn.blocks.put(utf8("block"));
  assert.deepEqual(waits, [
    ["busy", 0],
    ["busy", 0],
  ]);
});

test("Retry.WithoutRetryAfterItBacksOffAndEnds", async (t) => {
  hurry(t);
  const waits = [];
  const { node, cairn } = await nodeFor(t, { attempts: 3, onWait: ({ ms }) => waits.push(ms) });
  node.refuse = () => FakeNode.busy(429);
  const error = await failureOf(cairn.blocks.get(kId));
  assert.deepEqual([error.code, error.problem.status, error.problem.hint], ["busy", 429, "a hint"]);
  assert.equal(node.requests.length, 3);
  assert.ok(waits[0] >= 250 && waits[0] <= 375 && waits[1] >= 500 && waits[1] <= 750, `${waits}`);
});

test("Retry.FullDiskIsFinalUnlessItSaysWhenToComeBack", async (t) => {
  const { node, cairn } = await nodeFor(t);
  node.refuse = () => FakeNode.busy(507);
  assert.equal((await failureOf(cairn.blocks.put(utf8("x")))).code, "full");
  assert.equal(node.requests.length, 1);
  refuseFirst(node, 1, FakeNode.busy(507, { "Retry-After": "0" }));
  await cairn.blocks.put(utf8("x"));
});

test("Retry.LongerThanAllowedIsNotWaitedFor", async (t) => {
  const { node, cairn } = await nodeFor(t, { maxWaitMs: 1000 });
  node.refuse = () => FakeNode.busy(503, { "Retry-After": "3600" });
  assert.equal((await failureOf(cairn.blocks.get(kId))).code, "busy");
  assert.equal(node.requests.length, 1);
});

test("Retry.CutConnectionIsTriedAgain", async (t) => {
  hurry(t);
  const { node, cairn } = await nodeFor(t);
  refuseFirst(node, 1, "cut");
  await cairn.blocks.put(utf8("block"));
  node.refuse = () => "cut";
  const error = await failureOf(clientOf(node, { attempts: 2 }).blocks.put(utf8("block")));
  assert.equal(error.code, "unreachable");
});

test("Retry.OtherRefusalsAreFinal", async (t) => {
  const { node, cairn } = await nodeFor(t);
  for (const [status, code] of [
    [400, "refused"],
    [401, "denied"],
    [403, "denied"],
    [413, "too-large"],
    [422, "refused"],
  ]) {
    node.requests.length = 0;
    node.refuse = () => FakeNode.busy(status);
    assert.equal((await failureOf(cairn.blocks.put(utf8("x")))).code, code);
    assert.equal(node.requests.length, 1);
  }
});

test("RetryAfter.SecondsOrADateOrNothing", () => {
  assert.equal(parseRetryAfter(null, 0), undefined);
  assert.equal(parseRetryAfter("7", 0), 7000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 4000), 5000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:09 GMT", 60_000), 0);
  assert.equal(parseRetryAfter("soon", 0), undefined);
});

test("Abort.EndsTheCallWithItsReason", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const reason = new Error("enough");
  const before = AbortSignal.abort(reason);
  assert.equal(await failureOf(cairn.blocks.get(kId, { signal: before })), reason);
  assert.equal(node.requests.length, 0);
  const during = new AbortController();
  node.refuse = () => FakeNode.busy(503, { "Retry-After": "20" });
  const waiting = clientOf(node, { onWait: () => queueMicrotask(() => during.abort(reason)) });
  const paused = waiting.blocks.get(kId, { signal: during.signal });
  assert.equal(await failureOf(paused), reason, "in a pause");
  const asking = new AbortController();
  const hanging = clientOf(node, {
    fetch: (_, { signal }) => {
      queueMicrotask(() => asking.abort(reason));
      return untilAborted(signal);
    },
  });
  const asked = hanging.blocks.get(kId, { signal: asking.signal });
  assert.equal(await failureOf(asked), reason, "in a request");
});

test("Transport.LeavesNoTimeLimitBehind", async (t) => {
  const { node } = await nodeFor(t);
  const timeoutMs = 54_321;
  const running = new Set();
  const { setTimeout, clearTimeout } = globalThis;
  t.mock.method(globalThis, "setTimeout", (call, ms, ...rest) => {
    const timer = setTimeout(call, ms, ...rest);
    if (ms === timeoutMs) running.add(timer);
    return timer;
  });
  t.mock.method(globalThis, "clearTimeout", (timer) => {
    running.delete(timer);
    clearTimeout(timer);
  });
  const cairn = clientOf(node, { timeoutMs, attempts: 1 });
  const put = await cairn.files.put(new Uint8Array(3_000_000));
  await (await cairn.files.open(put)).bytes();
  await failureOf(cairn.blocks.get(kId));
  const stop = new AbortController();
  node.refuse = () => (stop.abort(), undefined);
  await failureOf(cairn.blocks.get(kId, { signal: stop.signal }));
  node.refuse = () => "cut";
  await failureOf(cairn.blocks.get(kId));
  assert.equal(running.size, 0);
});

test("Timeout.NodeThatFallsSilentIsGivenUpOn", async (t) => {
  const { node } = await nodeFor(t);
  const fetch = (_, { signal }) => untilAborted(signal);
  const error = await failureOf(
    clientOf(node, { fetch, timeoutMs: 20, attempts: 1 }).blocks.get(kId),
  );
  assert.equal(error.code, "timeout");
  node.server.removeAllListeners("request");
  node.server.on("request", (_, response) => response.write("half"));
  const options = { timeoutMs: 50, attempts: 1 };
  assert.equal((await failureOf(clientOf(node, options).blocks.get(kId))).code, "timeout");
});

test("Token.IsShownWhereThereIsOne", async (t) => {
  const seen = [];
  const fetch = async (_, { headers }) => {
    seen.push(headers.Authorization);
    return new Response("{}");
  };
  const { node } = await nodeFor(t);
  await clientOf(node, { fetch, token: async () => "abc" }).blocks.put(utf8("x"));
  await clientOf(node, { fetch }).blocks.put(utf8("x"));
  assert.deepEqual(seen, ["Bearer abc", undefined]);
});
