// A node that lies. Each lie is refused with its own error and the evidence, and nothing of it is
// given to the caller.

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore, Misbehaviour } from "../../../clients/js/dist/index.js";
import { clientOf, failureOf, nodeFor, payloadsOf, text, utf8 } from "./support.mjs";

/** A chain of `count` entries at an honest node, and a client that has not seen it. */
async function chainOf(t, count) {
  const { node, cairn } = await nodeFor(t);
  const { chain, capability } = await cairn.chains.create();
  for (let i = 1; i <= count; i++) await chain.append(utf8(`entry ${i}`));
  const link = await chain.share();
  const open = (options) => clientOf(node, options).chains.open(link);
  return { node, chain, capability, open, held: node.chains.get(chain.id) };
}

/** The payloads that a reader gets before it fails, and the error. */
async function readUntilFailure(reader, options) {
  const seen = [];
  const error = await failureOf(
    (async () => {
      for await (const { payload } of reader.entries(options)) seen.push(text(payload));
    })(),
  );
  assert.ok(error instanceof Misbehaviour, `${error.stack}`);
  return { seen, error };
}

/** A second chain state at the node: what it would show to another client. */
function forkOf(held) {
  return { ...held, links: new Map(held.links), state: held.state };
}

function restore(held, { links, state }) {
  held.links = new Map(links);
  held.state = state;
}

const kLies = {
  "swaps two links": (links) => [links[0], links[2], links[1], ...links.slice(3)],
  "drops a link in the middle": (links) => [...links.slice(0, 2), ...links.slice(3)],
  "drops the first link": (links) => links.slice(1),
  "replays a link": (links) => [links[0], links[1], links[1], ...links.slice(2)],
  "gives no links": () => [],
  "cuts a link short": (links) => links.map((link, i) => (i === 2 ? link.subarray(0, -1) : link)),
};

for (const [lie, mangled] of Object.entries(kLies)) {
  test(`Links.NodeThat ${lie} is caught`, async (t) => {
    const { node, open } = await chainOf(t, 5);
    node.mangle.links = mangled;
    const { seen, error } = await readUntilFailure(await open());
    assert.equal(error.code, "broken-chain");
    assert.ok(error.evidence.seq >= 1 && error.evidence.seq <= 5);
    assert.deepEqual(seen, [], "nothing of a page that is not whole");
  });
}

test("Links.EveryBitOfALinkCounts", async (t) => {
  const { node, open } = await chainOf(t, 1);
  for (let bit = 0; bit < 8 * 235; bit += 37) {
    node.mangle.links = ([link]) => {
      const changed = Buffer.from(link);
      changed[bit >> 3] ^= 1 << (bit & 7);
      return [changed];
    };
    const { error } = await readUntilFailure(await open());
    assert.equal(error.code, "broken-chain", `bit ${bit}`);
    assert.equal(error.evidence.bytes.length, 148 + 7 + 16 + 64);
  }
});

test("Links.TruncatedAnswerIsNoChain", async (t) => {
  const { node, open } = await chainOf(t, 5);
  node.mangle.links = (links) => [Buffer.concat([...links, Buffer.from([9, 9])])];
  assert.equal((await failureOf(payloadsOf(await open()))).code, "broken-chain");
  node.mangle.head = (head) => ({ ...head, seq: "5" });
  const { error } = await readUntilFailure(await open());
  assert.equal(error.code, "bad-answer");
});

test("Links.OfAnotherChainAreRefused", async (t) => {
  const { node, open } = await chainOf(t, 2);
  const { chain: other } = await clientOf(node).chains.create();
  await other.append(utf8("other"));
  const [foreign] = node.chains.get(other.id).links.values();
  node.mangle.links = () => [foreign];
  const { error } = await readUntilFailure(await open());
  assert.equal(error.code, "broken-chain");
  assert.match(error.evidence.reason, /another chain/);
});

test("Links.SignedBySomebodyElseAreRefused", async (t) => {
  const { node, chain, open } = await chainOf(t, 0);
  const { chain: own } = await clientOf(node).chains.create();
  await own.append(utf8("mallory"));
  const forged = Buffer.from(node.chains.get(own.id).links.get(1));
  Buffer.from(chain.id, "hex").copy(forged, 8);
  Buffer.from(chain.id, "hex").copy(forged, 48);
  node.mangle.links = () => [forged];
  node.mangle.head = (head) => ({ ...head, seq: 1 });
  const { error } = await readUntilFailure(await open());
  assert.match(error.evidence.reason, /signature/);
});

test("Head.ThatNamesAnotherLinkThanItsLinksIsRefused", async (t) => {
  const { node, open } = await chainOf(t, 2);
  node.mangle.head = (head) => ({ ...head, link: "00".repeat(32) });
  const { error, seen } = await readUntilFailure(await open());
  assert.equal(error.code, "broken-chain");
  assert.deepEqual(seen, []);
});

test("Head.ThatGoesBackIsARollback", async (t) => {
  const { node, chain, held, open } = await chainOf(t, 2);
  const earlier = forkOf(held);
  await chain.append(utf8("entry 3"));
  const heads = new MemoryStore();
  const reader = await open({ heads });
  await reader.sync();
  restore(held, earlier);
  const again = await open({ heads });
  for (const one of [reader, again]) {
    const { error, seen } = await readUntilFailure(one);
    assert.equal(error.code, "rollback");
    assert.deepEqual(seen, []);
    assert.equal(error.evidence.remembered.seq, 3);
    assert.equal(error.evidence.claimed.seq, 2);
    assert.ok(error.evidence.remembered.bytes.length > 0, "the link itself is the evidence");
  }
  assert.equal(
    (await failureOf(again.append(utf8("x")))).code,
    "denied",
    "a reader does not write",
  );
});

test("Head.OfAChainThatIsSaidNotToExistAnyMoreIsARollback", async (t) => {
  const { node, chain, open } = await chainOf(t, 2);
  const reader = await open();
  await reader.sync();
  node.chains.delete(chain.id);
  assert.equal((await failureOf(reader.sync())).code, "rollback");
});

/**
 * Two histories, both signed by the writer (from two devices): the node shows each to one client.
 */
async function forked(t) {
  const { node, chain, held, capability, open } = await chainOf(t, 2);
  const base = forkOf(held);
  const other = await clientOf(node).chains.open(capability);
  await other.sync();
  await chain.append(utf8("ours"));
  const ours = forkOf(held);
  restore(held, base);
  await other.append(utf8("theirs"));
  const theirs = forkOf(held);
  restore(held, ours);
  return { node, chain, held, open, ours, theirs, other };
}

test("Fork.AtTheHeadIsShownWithBothLinks", async (t) => {
  const { held, open, theirs } = await forked(t);
  const heads = new MemoryStore();
  await (await open({ heads })).sync();
  restore(held, theirs);
  const error = await failureOf((await open({ heads })).sync());
  assert.equal(error.code, "fork");
  const { ours: mine, theirs: yours } = error.evidence;
  assert.deepEqual([mine.seq, yours.seq], [3, 3]);
  assert.notEqual(mine.link, yours.link);
  assert.ok(mine.bytes && yours.bytes);
});

test("Fork.BehindTheHeadIsShownTooAndNothingIsGiven", async (t) => {
  const { held, open, theirs, other } = await forked(t);
  const reader = await open();
  await reader.sync();
  restore(held, theirs);
  await other.append(utf8("theirs 4"));
  const { error, seen } = await readUntilFailure(reader, { from: 4 });
  assert.equal(error.code, "fork");
  assert.equal(error.evidence.theirs.seq, 3);
  assert.deepEqual(seen, []);
  const whole = await readUntilFailure(reader);
  assert.equal(whole.error.code, "fork", "a walk from the beginning meets it as well");
});

test("Fork.IsSeenByWhoeverWrites", async (t) => {
  const { chain, held, theirs, other } = await forked(t);
  restore(held, theirs);
  await other.append(utf8("theirs 4"));
  assert.equal((await failureOf(chain.append(utf8("ours 4")))).code, "fork");
});

test("Append.ReceiptWithoutTheLinkIsRefused", async (t) => {
  const { node, chain } = await chainOf(t, 1);
  node.mangle.receipt = (receipt) => ({ ...receipt, link: "11".repeat(32) });
  assert.equal((await chain.append(utf8("x"))).seq, 2, "the links are the proof, not the receipt");
  const { append } = node.chains.get(chain.id);
  node.chains.get(chain.id).append = () => {};
  assert.equal((await failureOf(chain.append(utf8("y")))).code, "broken-chain");
  node.chains.get(chain.id).append = append;
});

test("Append.ConflictWithoutALinkThatWasFirstIsRefused", async (t) => {
  const { node, chain } = await chainOf(t, 1);
  const { FakeNode } = await import("./fake_node.mjs");
  node.refuse = (method, path) =>
    method === "POST" && /links/.test(path) ? FakeNode.busy(409) : undefined;
  assert.equal((await failureOf(chain.append(utf8("x")))).code, "broken-chain");
});

test("Manifest.OfAnotherChainIsRefused", async (t) => {
  const { node, open } = await chainOf(t, 1);
  node.mangle.manifest = (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])]);
  const error = await failureOf(open());
  assert.equal(error.code, "wrong-bytes");
  assert.notEqual(error.evidence.asked, error.evidence.actual);
});

test("Trim.LinksGoneWithoutACheckpointAreMissed", async (t) => {
  const { node, open } = await chainOf(t, 4);
  node.mangle.head = (head) => ({ ...head, trimmed_before: 3 });
  const { error } = await readUntilFailure(await open());
  assert.equal(error.code, "broken-chain");
  assert.match(error.evidence.reason, /no checkpoint/);
});

test("Trim.RotateLinkThatIsNotTheAdminsIsRefused", async (t) => {
  const { node, chain, held, open } = await chainOf(t, 1);
  await chain.rotate();
  await chain.checkpoint(utf8("state"), { dropsEarlier: true });
  const rotate = Buffer.from(held.links.get(3));
  rotate[rotate.length - 1] ^= 1;
  node.mangle.links = (links, from) => (from === 3 ? [rotate] : links);
  const { error } = await readUntilFailure(await open());
  assert.equal(error.code, "broken-chain");
  assert.match(error.evidence.reason, /admin/);
});

test("Trim.OlderRotateLinkThanWasSeenIsARollback", async (t) => {
  const { node, chain, open } = await chainOf(t, 1);
  const reader = await open();
  await chain.rotate();
  await reader.sync();
  await chain.append(utf8("missed"));
  await chain.checkpoint(utf8("state"), { dropsEarlier: true });
  node.mangle.head = (head) => ({ ...head, rotated_at: 0 });
  assert.equal((await failureOf(reader.sync())).code, "rollback");
});

test("Trim.LinkThatTheRotateLinkDoesNotStandOnIsRefused", async (t) => {
  const { node, chain, held, open } = await chainOf(t, 1);
  await chain.rotate();
  await chain.checkpoint(utf8("state"), { dropsEarlier: true });
  await chain.append(utf8("true"));
  await chain.rotate();
  await chain.append(utf8("after"));
  const link = await chain.share();
  // Nobody's signature is looked at there, but the admin's over the rotate link counts for all.
  const forged = Buffer.from(held.links.get(5));
  forged[forged.length - 1] ^= 1;
  node.mangle.links = (links) => links.map((raw) => (raw === held.links.get(5) ? forged : raw));
  const { error, seen } = await readUntilFailure(await clientOf(node).chains.open(link));
  assert.equal(error.code, "broken-chain");
  assert.deepEqual(seen, []);
  let pages = 0;
  node.mangle.links = (links, from) =>
    from === 4 && ++pages > 2
      ? links.map((raw) => (raw === held.links.get(5) ? forged : raw))
      : links;
  const second = await readUntilFailure(await clientOf(node).chains.open(link));
  assert.equal(second.error.code, "broken-chain", "another link than when it was looked through");
  assert.ok(await payloadsOf(await open()).catch(({ code }) => code));
});

test("Live.PushedLinkThatDoesNotFollowIsNotGiven", async (t) => {
  const { node, chain, open } = await chainOf(t, 1);
  const reader = await open();
  const stop = new AbortController();
  const entries = reader.subscribe({ from: 1, signal: stop.signal });
  assert.equal(text((await entries.next()).value.payload), "entry 1");
  node.mangle.event = (event) => event.replace(/data: (.{40})./s, "data: $1A");
  const next = entries.next();
  await chain.append(utf8("entry 2"));
  assert.equal(text((await next).value.payload), "entry 2", "it was fetched instead");
  stop.abort();
  await failureOf(entries.next());
});

test("Keys.SecretThatIsNotTheChainsIsRefused", async (t) => {
  const { node, open, chain } = await chainOf(t, 1);
  const { formatCapability } = await import("../../../clients/js/dist/index.js");
  const wrong = formatCapability({ kind: "read", chain: chain.id, secret: new Uint8Array(32) });
  const { error } = await readUntilFailure(await clientOf(node).chains.open(wrong));
  assert.equal(error.code, "wrong-keys");
  assert.notEqual(error.evidence.expected, error.evidence.actual);
  assert.deepEqual(await payloadsOf(await open()), ["entry 1"]);
});
