// How the page speaks with a node: what it repeats, what it gives up on, and what it says then.
// Run: tests/examples/run

import assert from "node:assert/strict";
import test from "node:test";

import { NodeClient, parseRetryAfter } from "../../../examples/src/welcome/src/node_client.js";

const kId = "ab".repeat(32);
const kNever = new AbortController().signal;

/** A node that gives these answers in turn; an Error stands for a lost connection. */
function nodeWith(answers) {
  const calls = [];
  const pauses = [];
  const client = new NodeClient({
    fetch: async (url, init) => {
      calls.push({ url, init });
      const answer = answers[Math.min(calls.length, answers.length) - 1];
      if (answer instanceof Error) throw answer;
      return answer();
    },
    pause: async (ms) => void pauses.push(ms),
  });
  return { client, calls, pauses };
}

const reply =
  (status, body = "", headers = {}) =>
  () =>
    new Response(body, { status, headers });
const problem = (status, fields, headers = {}) =>
  reply(status, JSON.stringify(fields), { "Content-Type": "application/problem+json", ...headers });
const kind = (expected) => (error) => error.name === "NodeError" && error.kind === expected;
const put = (client) => client.put(kId, new Uint8Array(3), kNever);

test("Put.CreatedIsOneRequestWithTheBytes", async () => {
  const { client, calls } = nodeWith([reply(201)]);
  await put(client);
  assert.equal(calls.length, 1);
  assert.equal(calls[0].url, `/v1/blocks/${kId}`);
  assert.equal(calls[0].init.method, "PUT");
  assert.equal(calls[0].init.body.length, 3);
});

test("Put.BusyWithRetryAfterWaitsAsAsked", async () => {
  const { client, calls, pauses } = nodeWith([
    problem(429, {}, { "Retry-After": "2" }),
    problem(503, {}, { "Retry-After": "7" }),
    reply(201),
  ]);
  await put(client);
  assert.equal(calls.length, 3);
  assert.deepEqual(pauses, [2000, 7000]);
});

test("Put.BusyWithoutRetryAfterBacksOffAndEnds", async () => {
  const { client, calls, pauses } = nodeWith([problem(503, { title: "Overloaded" })]);
  await assert.rejects(put(client), kind("busy"));
  assert.equal(calls.length, 6);
  assert.ok(
    pauses.every((ms, i) => i === 0 || ms > pauses[i - 1]),
    `${pauses}`,
  );
});

test("Put.RetryAfterBeyondPatienceGivesUpAtOnce", async () => {
  const { client, pauses } = nodeWith([problem(503, {}, { "Retry-After": "3600" })]);
  await assert.rejects(put(client), kind("busy"));
  assert.deepEqual(pauses, []);
});

test("Put.FullDiskIsRepeatedOnlyWhenTheNodeSaysWhen", async () => {
  const silent = nodeWith([problem(507, { detail: "reserve reached", hint: "add space" })]);
  await assert.rejects(put(silent.client), (error) => {
    assert.equal(error.message, "reserve reached");
    assert.equal(error.hint, "add space");
    return kind("full")(error);
  });
  assert.equal(silent.calls.length, 1);
  const asking = nodeWith([problem(507, {}, { "Retry-After": "5" }), reply(201)]);
  await put(asking.client);
  assert.deepEqual(asking.pauses, [5000]);
});

test("Put.RefusalsAreNeverRepeated", async () => {
  const cases = [
    [401, "denied"],
    [403, "denied"],
    [413, "too-large"],
    [422, "unexpected"],
  ];
  for (const [status, expected] of cases) {
    const { client, calls } = nodeWith([problem(status, {})]);
    await assert.rejects(put(client), kind(expected));
    assert.equal(calls.length, 1);
  }
});

test("Put.LostConnectionIsTriedAgainThenUnreachable", async () => {
  const { client, calls } = nodeWith([new TypeError("Failed to fetch")]);
  await assert.rejects(put(client), kind("unreachable"));
  assert.equal(calls.length, 3);
});

test("Put.AbortedEndsWithTheReasonAndNoFurtherRequest", async () => {
  const abort = new AbortController();
  const { client, calls } = nodeWith([reply(201)]);
  abort.abort(new Error("enough"));
  await assert.rejects(client.put(kId, new Uint8Array(3), abort.signal), /enough/);
  assert.equal(calls.length, 0);
});

test("Pause.AbortedWhileWaitingEnds", async () => {
  const abort = new AbortController();
  const client = new NodeClient({
    fetch: async () => new Response("", { status: 503, headers: { "Retry-After": "29" } }),
    onWait: () => setTimeout(() => abort.abort(new Error("enough")), 0),
  });
  await assert.rejects(client.put(kId, new Uint8Array(3), abort.signal), /enough/);
});

test("Get.AnswerCarriesBytesAndSource", async () => {
  const { client, calls } = nodeWith([reply(200, "abc", { "Cairn-Source": "memory" })]);
  const { bytes, source } = await client.get(kId, kNever);
  assert.equal(new TextDecoder().decode(bytes), "abc");
  assert.equal(source, "memory");
  assert.equal(calls[0].init.cache, "no-store");
});

test("Get.BodyLongerThanAnyBlockIsRefused", async () => {
  const { client } = nodeWith([() => new Response(new Uint8Array(16 * 1024 * 1024 + 1))]);
  await assert.rejects(client.get(kId, kNever), kind("unexpected"));
});

test("Get.NotHeldSaysSo", async () => {
  const { client } = nodeWith([problem(404, { title: "Not held" })]);
  await assert.rejects(client.get(kId, kNever), kind("not-held"));
});

test("Missing.ManyIdsGoInThousands", async () => {
  const { client, calls } = nodeWith([reply(200, JSON.stringify({ missing: [kId] }))]);
  const { missing } = await client.missing(new Array(2001).fill(kId), kNever);
  assert.deepEqual(
    calls.map(({ init }) => JSON.parse(init.body).ids.length),
    [1000, 1000, 1],
  );
  assert.deepEqual([...missing], [kId]);
});

test("Missing.AnswerThatIsNotOfTheApiIsRefused", async () => {
  for (const body of ["", "<!doctype html>", "{}", "null"]) {
    const { client } = nodeWith([reply(200, body)]);
    await assert.rejects(client.missing([kId], kNever), kind("unexpected"));
  }
});

test("RetryAfter.SecondsAndDatesAreRead", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("3", now), 3000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:04 GMT", now), 4000);
  assert.equal(parseRetryAfter("Wed, 31 Dec 2025 23:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), null);
  assert.equal(parseRetryAfter(null, now), null);
});
