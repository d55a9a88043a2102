// Chains between honest clients and an honest node.

import assert from "node:assert/strict";
import test from "node:test";

import { ChainMemory } from "../../../clients/js/dist/chains/memory.js";
import {
  MemoryStore,
  parseCapability,
  readerKeyOf,
  signerOf,
} from "../../../clients/js/dist/index.js";
import { FakeNode } from "./fake_node.mjs";
import { clientOf, failureOf, hurry, nodeFor, onEveryNode, payloadsOf, text, utf8 } from "./support.mjs";

onEveryNode("Chain.WhatIsAppendedIsReadByWhoeverHasTheLink", async (t, { node, cairn }) => {
  const { chain, capability } = await cairn.chains.create();
  assert.deepEqual(await chain.append(utf8("one")), {
    state: "stored",
    seq: 1,
    link: chain.head.head,
  });
  await chain.append(utf8("two"));

  const reader = await clientOf(node).chains.open(await chain.share());
  assert.deepEqual(await payloadsOf(reader), ["one", "two"]);
  assert.deepEqual(await payloadsOf(reader, { from: 2 }), ["two"]);
  assert.equal(reader.head.seq, 2);
  assert.equal((await failureOf(reader.append(utf8("no")))).code, "denied");

  const writer = await clientOf(node).chains.open(capability);
  assert.equal((await writer.append(utf8("three"))).seq, 3);
  assert.deepEqual(await payloadsOf(chain), ["one", "two", "three"]);
});

onEveryNode("Chain.VerifyCapabilityChecksAndOpensNothing", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("secret"));
  const verifier = await clientOf(node).chains.open(chain.shareVerify());
  assert.equal((await verifier.sync()).seq, 1);
  assert.equal((await failureOf(payloadsOf(verifier))).code, "no-key");
});

onEveryNode("Chain.ManyPagesComeInOrder", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  const expected = Array.from({ length: 600 }, (_, i) => `entry ${i}`);
  await Promise.all(expected.map((entry) => chain.append(utf8(entry))));
  const reader = await clientOf(node).chains.open(await chain.share());
  assert.deepEqual(await payloadsOf(reader), expected);
  assert.deepEqual(await payloadsOf(reader, { from: 590 }), expected.slice(589));
});

onEveryNode("Chain.RaceOfWritersLosesNothing", async (t, { node, cairn }) => {
  const { chain, capability } = await cairn.chains.create();
  const writers = await Promise.all([1, 2, 3, 4].map(() => clientOf(node).chains.open(capability)));
  await Promise.all(
    writers.flatMap((writer, w) =>
      Array.from({ length: 8 }, (_, i) => writer.append(utf8(`${w}.${i}`))),
    ),
  );
  const payloads = await payloadsOf(chain);
  assert.equal(payloads.length, 32);
  for (const w of writers.keys()) {
    const own = payloads.filter((payload) => payload.startsWith(`${w}.`));
    assert.deepEqual(
      own,
      Array.from({ length: 8 }, (_, i) => `${w}.${i}`),
    );
  }
});

onEveryNode("Chain.SecondWriterHasAPlaceOfItsOwn", async (t, { node, cairn }) => {
  const seed = new Uint8Array(32).fill(7);
  const { chain } = await cairn.chains.create({ writers: [signerOf(seed).publicKey] });
  await chain.append(utf8("owner"));
  const second = await clientOf(node).chains.open(await chain.share(), { writer: seed });
  await second.append(utf8("guest"));
  const writers = [];
  for await (const entry of chain.entries()) writers.push(entry.writer);
  assert.deepEqual(writers, [0, 1]);
});

onEveryNode("Chain.RefThatIsNotHeldIsNamed", async (t, { cairn }) => {
  const { chain } = await cairn.chains.create();
  const ref = "ab".repeat(32);
  const error = await failureOf(chain.append(utf8("x"), { refs: [ref] }));
  assert.equal(error.code, "refs-missing");
  assert.deepEqual(error.problem.more.missing, [ref]);
  const held = await cairn.blocks.put(utf8("block"));
  await chain.append(utf8("y"), { refs: [held] });
  for await (const entry of chain.entries()) assert.deepEqual(entry.refs, [held]);
});

onEveryNode("Chain.CheckpointThatDropsIsWhereNewReadersBegin", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  for (const entry of ["a", "b", "c"]) await chain.append(utf8(entry));
  await chain.checkpoint(utf8("abc"), { dropsEarlier: true });
  await chain.append(utf8("d"));
  const reader = await clientOf(node).chains.open(await chain.share());
  assert.deepEqual(await payloadsOf(reader), ["abc", "d"]);
  assert.equal(reader.head.firstKept, 4);
  assert.deepEqual(
    await payloadsOf(chain),
    ["abc", "d"],
    "the writer's own old anchors are of no use",
  );
});

onEveryNode("Chain.ReaderWhoWasAwayWhileLinksWereDroppedGoesOn", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("a"));
  const reader = await clientOf(node).chains.open(await chain.share());
  await reader.sync();
  await chain.append(utf8("b"));
  await chain.checkpoint(utf8("ab"), { dropsEarlier: true });
  assert.deepEqual(await payloadsOf(reader, { from: 2 }), ["ab"]);
  assert.equal(reader.head.seq, 3);
});

onEveryNode("Rotate.ReaderWhoWasNotGrantedReadsTheOldAndNotTheNew", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("old"));
  const link = await chain.share();
  const seed = new Uint8Array(32).fill(9);
  await chain.rotate({ readers: [await readerKeyOf(seed)] });
  await chain.append(utf8("new"));

  assert.deepEqual(await payloadsOf(chain), ["old", "new"]);
  const granted = await clientOf(node).chains.open(link, { reader: seed });
  assert.deepEqual(await payloadsOf(granted), ["old", "new"]);
  const fresh = await clientOf(node).chains.open(await chain.share());
  assert.deepEqual(await payloadsOf(fresh), ["old", "new"], "a new secret gives those before it");

  const shutOut = await clientOf(node).chains.open(link);
  const seen = [];
  const error = await failureOf(
    (async () => {
      for await (const entry of shutOut.entries()) seen.push(text(entry.payload));
    })(),
  );
  assert.deepEqual(seen, ["old"]);
  assert.deepEqual([error.code, error.epoch], ["no-key", 1]);
});

onEveryNode("Rotate.OwnerOnAnotherDeviceHasTheNewSecret", async (t, { node, cairn }) => {
  const { chain, capability } = await cairn.chains.create();
  await chain.append(utf8("a"));
  await chain.rotate();
  await chain.rotate();
  await chain.append(utf8("b"));
  const other = await clientOf(node).chains.open(capability);
  await other.append(utf8("c"));
  assert.deepEqual(await payloadsOf(other), ["a", "b", "c"]);
  assert.equal(other.head.epoch, 2);
  assert.deepEqual(await payloadsOf(chain), ["a", "b", "c"]);
});

onEveryNode("Rotate.WritersAloneLeavesReadersAsTheyAre", async (t, { node, cairn }) => {
  const guest = new Uint8Array(32).fill(3);
  const { chain } = await cairn.chains.create({ writers: [signerOf(guest).publicKey] });
  const link = await chain.share();
  const second = await clientOf(node).chains.open(link, { writer: guest });
  await second.append(utf8("guest"));
  await chain.sync();
  await chain.rotate({ writers: [chain.head.access.writers[0]], newReadKey: false });
  assert.equal((await failureOf(second.append(utf8("again")))).code, "denied");
  await chain.append(utf8("owner"));
  assert.deepEqual(await payloadsOf(await clientOf(node).chains.open(link)), ["guest", "owner"]);
});

onEveryNode("Rotate.ReaderAfterACheckpointChecksWritersByTheRotateLinkThatIsKept", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("a"));
  await chain.rotate();
  await chain.checkpoint(utf8("A"), { dropsEarlier: true });
  await chain.append(utf8("b"));
  const reader = await clientOf(node).chains.open(await chain.share());
  assert.deepEqual(await payloadsOf(reader), ["A", "b"]);
});

test("Rotate.LinksBetweenCheckpointAndRotateAreVouchedForByTheAdmin", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const guest = new Uint8Array(32).fill(5);
  const { chain } = await cairn.chains.create();
  const own = chain.head.access.writers[0];
  await chain.rotate({ writers: [own, signerOf(guest).publicKey] });
  await chain.checkpoint(utf8("A"), { dropsEarlier: true });
  const second = await clientOf(node).chains.open(await chain.share(), { writer: guest });
  await second.append(utf8("guest"));
  await chain.sync();
  await chain.rotate({ writers: [own] });
  // The rotate link that named the guest is gone now.
  node.chains.get(chain.id).links.delete(2);
  const link = await chain.share();
  const heads = new MemoryStore();
  for (const links of [(page) => page, (page) => page.slice(0, 1)]) {
    node.mangle.links = links;
    for (const options of [{ heads }, { heads }, {}]) {
      const reader = await clientOf(node, options).chains.open(link);
      assert.deepEqual(await payloadsOf(reader), ["A", "guest"]);
    }
  }
});

onEveryNode("Gated.LinksNeedTheTokenAndTheCapabilityHasIt", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create({ gated: true });
  await chain.append(utf8("a"));
  const link = await chain.share();
  assert.deepEqual(await payloadsOf(await clientOf(node).chains.open(link)), ["a"]);
  const error = await failureOf(clientOf(node).chains.open(chain.shareVerify()));
  assert.equal(error.code, "denied");
});

onEveryNode("Remove.NothingFollowsAndEveryoneSeesIt", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("a"));
  const reader = await clientOf(node).chains.open(await chain.share());
  await chain.remove();
  assert.equal((await failureOf(chain.append(utf8("b")))).code, "malformed");
  assert.equal((await reader.sync()).removed, true);
  const live = [];
  for await (const entry of reader.subscribe({ from: 1 })) live.push(entry);
  assert.equal(live.length, 0, "what was before the delete link is gone, and the subscription ends");
});

onEveryNode("Subscribe.EntriesComeAsTheyAreAppended", async (t, { node, cairn }) => {
  const { chain } = await cairn.chains.create();
  await chain.append(utf8("before"));
  const reader = await clientOf(node).chains.open(await chain.share());
  const stop = new AbortController();
  const seen = [];
  const done = failureOf(
    (async () => {
      for await (const { payload, seq } of reader.subscribe({ from: 1, signal: stop.signal })) {
        seen.push(text(payload));
        if (seq < 5) void chain.append(utf8(`live ${seq + 1}`));
        else stop.abort();
      }
    })(),
  );
  assert.equal((await done).name, "AbortError");
  assert.deepEqual(seen, ["before", "live 2", "live 3", "live 4", "live 5"]);
  const fetched = node.count?.(/GET .*links/) ?? 0;
  assert.ok(fetched <= 1, "later links were pushed, not fetched");
});

test("Subscribe.GoesOnAfterTheNodeWasAwayAndAfterAResync", async (t) => {
  hurry(t);
  const { node, cairn } = await nodeFor(t);
  const { chain } = await cairn.chains.create();
  const reader = await clientOf(node, { attempts: 2 }).chains.open(await chain.share());
  const entries = reader.subscribe({ from: 1 });
  const next = entries.next();
  await chain.append(utf8("a"));
  assert.equal(text((await next).value.payload), "a");
  node.mangle.event = () => "event: resync\ndata:\n\n";
  const second = entries.next();
  await chain.append(utf8("b"));
  assert.equal(text((await second).value.payload), "b");
  const third = entries.next();
  node.server.closeAllConnections();
  await chain.append(utf8("c"));
  assert.equal(text((await third).value.payload), "c");
  await entries.return();
});

test("Heads.ARememberedChainOpensOffline", async (t) => {
  const { node, cairn } = await nodeFor(t);
  const heads = new MemoryStore();
  const { chain, capability } = await cairn.chains.create();
  await chain.append(utf8("a"));
  const first = await clientOf(node, { heads }).chains.open(capability);
  await first.sync();
  const gone = await FakeNode.start();
  await gone.stop();
  const offline = await clientOf(gone, { heads, attempts: 1 }).chains.open(capability);
  assert.equal(offline.head.seq, 1);
  assert.equal((await failureOf(offline.sync())).code, "unreachable");
});

onEveryNode("Heads.WhatIsRememberedDoesNotGoBack", async (t, { cairn }) => {
  const { chain } = await cairn.chains.create();
  const store = new MemoryStore();
  const memory = new ChainMemory(store, chain.id);
  const manifest = new Uint8Array(0);
  const save = (seq) => memory.save({ manifest, state: { ...chain.head, seq }, link: undefined });
  const kept = async () => JSON.parse(await store.get(`cairn/head/${chain.id}`)).seq;
  for (const [seq, expected] of [
    [2, 2],
    [1, 2],
    [3, 3],
    [3, 3],
  ]) {
    await save(seq);
    assert.equal(await kept(), expected);
  }
});

onEveryNode("Capability.TextOfAnotherKindIsRefused", async (t, { cairn }) => {
  const { capability } = await cairn.chains.create();
  assert.equal(parseCapability(capability).kind, "write");
  assert.equal((await failureOf(cairn.chains.open(capability.slice(0, -1)))).code, "malformed");
});
