// What is written while the node is away arrives once, in order, whatever happens in between.

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore } from "../../../clients/js/dist/index.js";
import { clientOf, failureOf, nodeFor, payloadsOf, seeded, text, utf8 } from "./support.mjs";

const kAppend = /POST .*links/;

async function writerOf(t) {
  const { node, cairn } = await nodeFor(t, { attempts: 1 });
  const { capability } = await cairn.chains.create();
  const stores = { heads: new MemoryStore(), outbox: new MemoryStore() };
  /** Each is a new visit of the same device. */
  const visit = () => clientOf(node, { ...stores, attempts: 1 }).chains.open(capability);
  const other = await clientOf(node, { attempts: 1 }).chains.open(capability);
  return { node, visit, other, capability, stores };
}

const away = (node) => (node.refuse = () => "cut");
const back = (node) => (node.refuse = () => undefined);

test("Outbox.EntriesWaitAndArriveInOrder", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const chain = await visit();
  away(node);
  for (const entry of ["a", "b"]) {
    const appended = await chain.append(utf8(entry));
    assert.deepEqual([appended.state, appended.reason.code], ["queued", "unreachable"]);
  }
  back(node);
  assert.deepEqual((await chain.queued()).map(text), ["a", "b"]);
  const { state, seq } = await chain.append(utf8("c"));
  assert.deepEqual([state, seq], ["stored", 3]);
  assert.deepEqual(await chain.queued(), []);
  assert.deepEqual(await payloadsOf(other), ["a", "b", "c"]);
  assert.equal(node.count(kAppend), 3, "two that failed, and one for all three");
});

test("Outbox.OutlastsTheVisit", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const first = await visit();
  away(node);
  await first.append(utf8("a"));
  const second = await visit();
  assert.deepEqual((await second.queued()).map(text), ["a"]);
  back(node);
  await second.flush();
  assert.deepEqual(await payloadsOf(other), ["a"]);
});

test("Outbox.ALostAnswerDoesNotSendTwice", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const chain = await visit();
  // The link is taken, and the answer is not heard of.
  const original = node.server.listeners("request")[0];
  node.server.removeAllListeners("request");
  node.server.on("request", (request, response) => {
    if (request.method === "POST") response.end = () => response.destroy();
    original(request, response);
  });
  assert.equal((await chain.append(utf8("a"))).state, "queued");
  node.server.removeAllListeners("request");
  node.server.on("request", original);
  await other.append(utf8("b"));
  await (await visit()).flush();
  assert.deepEqual(await payloadsOf(other), ["a", "b"]);
});

test("Outbox.MovesBehindWhatOthersWroteMeanwhile", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const chain = await visit();
  away(node);
  await chain.append(utf8("mine 1"));
  await chain.append(utf8("mine 2"));
  back(node);
  await other.append(utf8("theirs"));
  await other.rotate();
  await chain.flush();
  assert.deepEqual(await payloadsOf(other), ["theirs", "mine 1", "mine 2"]);
});

test("Outbox.RefusedEntryIsGivenBackAndDoesNotStay", async (t) => {
  const { node, visit } = await writerOf(t);
  const chain = await visit();
  const error = await failureOf(chain.append(utf8("a"), { refs: ["ab".repeat(32)] }));
  assert.equal(error.code, "refs-missing");
  assert.deepEqual(await chain.queued(), []);
  assert.equal((await chain.append(utf8("b"))).seq, 1);
  assert.equal(node.chains.get(chain.id).state.seq, 1);
});

test("Outbox.EntryBehindARefusedOneWaitsUntilThatIsGivenUp", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const chain = await visit();
  away(node);
  await chain.append(utf8("bad"), { refs: ["ab".repeat(32)] });
  back(node);
  const { state, reason } = await chain.append(utf8("good"));
  assert.deepEqual([state, reason.code], ["queued", "refs-missing"]);
  assert.deepEqual((await chain.queued()).map(text), ["bad", "good"]);
  await chain.discard();
  await chain.flush();
  assert.deepEqual(await payloadsOf(other), ["good"]);
});

test("Outbox.GoodEntriesInFrontOfABadOneArrive", async (t) => {
  const { node, visit, other } = await writerOf(t);
  const chain = await visit();
  away(node);
  await chain.append(utf8("good"));
  await chain.append(utf8("bad"), { refs: ["ab".repeat(32)] });
  back(node);
  assert.equal((await failureOf(chain.flush())).code, "refs-missing");
  assert.deepEqual(await payloadsOf(other), ["good"]);
  assert.deepEqual((await chain.queued()).map(text), ["bad"]);
});

test("Outbox.WithoutOneAnUnreachableNodeIsAnError", async (t) => {
  const { node, cairn } = await nodeFor(t, { attempts: 1 });
  const { chain } = await cairn.chains.create();
  away(node);
  assert.equal((await failureOf(chain.append(utf8("a")))).code, "unreachable");
  back(node);
  assert.equal((await chain.append(utf8("b"))).seq, 1);
});

test("Outbox.RandomOutagesRacesAndVisitsLoseAndDoubleNothing", async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seeded(seed);
    const { node, visit, other } = await writerOf(t);
    const written = [];
    let chain = await visit();
    node.refuse = (method) => (method === "POST" && random() < 0.3 ? "cut" : undefined);
    for (let i = 0; i < 25; i++) {
      const dice = random();
      if (dice < 0.15) chain = await visit();
      else if (dice < 0.3) await other.append(utf8(`other ${i}`)).catch(() => {});
      else {
        written.push(`mine ${i}`);
        await chain.append(utf8(`mine ${i}`));
      }
    }
    back(node);
    await chain.flush();
    const mine = (await payloadsOf(other)).filter((payload) => payload.startsWith("mine"));
    assert.deepEqual(mine, written, `seed ${seed}`);
  }
});

test("Outbox.DamagedStoreIsAnErrorAndNotAnEmptyOne", async (t) => {
  const { node, visit, stores } = await writerOf(t);
  const chain = await visit();
  away(node);
  await chain.append(utf8("a"));
  back(node);
  await stores.outbox.set(`cairn/outbox/${chain.id}`, "[1]");
  assert.equal((await failureOf((await visit()).flush())).code, "malformed");
  await stores.outbox.delete(`cairn/outbox/${chain.id}`);
  await (await visit()).append(utf8("b"));
  const key = `cairn/head/${chain.id}`;
  const head = JSON.parse(await stores.heads.get(key));
  for (const damage of [{ seq: 0 }, { seq: "1" }, { head: "00" }, { version: 2 }, { access: "" }]) {
    await stores.heads.set(key, JSON.stringify({ ...head, ...damage }));
    assert.equal((await failureOf(visit())).code, "malformed", JSON.stringify(damage));
  }
});
