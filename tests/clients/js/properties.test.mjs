// Properties over seeded random inputs. A failure names its seed.

import assert from "node:assert/strict";
import test from "node:test";

import { fromBase64Url, fromHex, toBase64Url, toHex } from "../../../clients/js/dist/base/bytes.js";
import { Stopper } from "../../../clients/js/dist/base/stopper.js";
import { inOrder } from "../../../clients/js/dist/files/window.js";
import { openBox, sealBox } from "../../../clients/js/dist/formats/box.js";
import { formatCapability, parseCapability } from "../../../clients/js/dist/formats/capability.js";
import { checkNext } from "../../../clients/js/dist/formats/chain_state.js";
import { PublicKey, signerOf } from "../../../clients/js/dist/formats/ed25519.js";
import { parseId, toCid } from "../../../clients/js/dist/formats/cid.js";
import { idBytes } from "../../../clients/js/dist/formats/ids.js";
import { kLinkTypes, Link, makeLink } from "../../../clients/js/dist/formats/link.js";
import { parseManifest } from "../../../clients/js/dist/formats/manifest.js";
import { encodeManifest } from "../../../clients/js/dist/formats/manifest_writer.js";
import { openBlock, padmeLength, sealBlock } from "../../../clients/js/dist/formats/seal.js";
import { Verifier } from "../../../clients/js/dist/formats/verifier.js";
import { Answer, Lifeline } from "../../../clients/js/dist/node/answer.js";
import { readEvents } from "../../../clients/js/dist/node/events.js";
import { FrameReader } from "../../../clients/js/dist/node/frame_reader.js";
import { encodeFrames, readFrames } from "../../../clients/js/dist/node/frames.js";
import { failureOf, randomBytesOf, seeded, utf8 } from "./support.mjs";

/** Runs `check` with `rounds` generators of their own. */
async function forSeeds(rounds, check) {
  for (let seed = 1; seed <= rounds; seed++) {
    try {
      await check(seeded(seed));
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}

const int = (random, below) => Math.floor(random() * below);
const idOf = (random) => toHex(randomBytesOf(random, 32));

test("Texts.RoundTrip", () =>
  forSeeds(200, (random) => {
    const bytes = randomBytesOf(random, int(random, 100));
    assert.deepEqual(fromHex(toHex(bytes)), bytes);
    assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
    const id = idOf(random);
    assert.equal(parseId(toCid(id)), id);
    assert.equal(toHex(idBytes(id)), id);
    const secret = randomBytesOf(random, 32);
    for (const kind of ["write", "read"]) {
      const capability = { kind, chain: id, secret };
      assert.deepEqual(parseCapability(formatCapability(capability)), capability);
    }
  }));

test("Capability.AnyOneCharacterChangedIsRefused", () =>
  forSeeds(100, (random) => {
    const text = formatCapability({
      kind: "read",
      chain: idOf(random),
      secret: randomBytesOf(random, 32),
    });
    const at = int(random, text.length);
    const other = String.fromCharCode(33 + int(random, 94));
    if (other === text[at]) return;
    const changed = text.slice(0, at) + other + text.slice(at + 1);
    // The kind is not under the checksum: a write capability reads as a read capability does.
    if (changed.startsWith("cairn_w_")) return;
    assert.throws(() => parseCapability(changed), { code: "malformed" });
  }));

test("Seal.RoundTripAndEveryBitCounts", () =>
  forSeeds(100, (random) => {
    const key = randomBytesOf(random, 32);
    const text = randomBytesOf(random, int(random, 500));
    const padded = random() < 0.5;
    const block = sealBlock(text, key, { padded });
    assert.equal(block.length, 76 + (padded ? padmeLength(text.length + 1) : text.length));
    assert.deepEqual(openBlock(block, key), text);
    block[int(random, block.length)] ^= 1 << int(random, 8);
    assert.throws(() => openBlock(block, key), { code: "not-opened" });
  }));

test("Box.OpensForItsReaderAlone", () =>
  forSeeds(10, async (random) => {
    const { readerKeyOf } = await import("../../../clients/js/dist/index.js");
    const [seed, other, secret] = [1, 2, 3].map(() => randomBytesOf(random, 32));
    const box = sealBox(secret, await readerKeyOf(seed));
    assert.deepEqual(openBox(box, seed), secret);
    assert.throws(() => openBox(box, other), { code: "not-opened" });
    assert.throws(() => openBox(box.subarray(1), seed), { code: "not-opened" });
    box[int(random, box.length)] ^= 1 << int(random, 7);
    assert.throws(() => openBox(box, seed), { code: "not-opened" });
    assert.throws(() => sealBox(secret, new Uint8Array(32)), RangeError);
  }));

test("Ed25519.SignedVerifiesAndAnyBitChangedDoesNot", () =>
  forSeeds(12, async (random) => {
    const signer = signerOf(randomBytesOf(random, 32));
    const key = PublicKey.of(signer.publicKey);
    const message = randomBytesOf(random, int(random, 300));
    const signature = signer.sign(message);
    const verifier = new Verifier();
    assert.ok(key.verifies(message, signature));
    assert.ok(await verifier.verify(signer.publicKey, message, signature));
    const changed = signature.slice();
    changed[int(random, 64)] ^= 1 << int(random, 8);
    assert.ok(!key.verifies(message, changed));
    assert.ok(!(await verifier.verify(signer.publicKey, message, changed)));
  }));

test("Links.RoundTripAndChangedLinksDoNotFollow", () =>
  forSeeds(15, (random) => {
    const [writer, admin] = [
      signerOf(randomBytesOf(random, 32)),
      signerOf(randomBytesOf(random, 32)),
    ];
    const access = {
      box: randomBytesOf(random, 32),
      fetchTokenHash: randomBytesOf(random, 32),
      writers: [writer.publicKey],
    };
    const manifest = {
      gated: random() < 0.5,
      salt: randomBytesOf(random, 16),
      admin: admin.publicKey,
      access,
    };
    assert.deepEqual(parseManifest(encodeManifest(manifest)), manifest);
    const types = Object.keys(kLinkTypes);
    const type = types[int(random, types.length)];
    const byAdmin = type === "rotate" || type === "delete";
    const state = {
      chain: idOf(random),
      gated: false,
      admin: admin.publicKey,
      access,
      seq: int(random, 2 ** 40),
      head: idOf(random),
      epoch: int(random, 1000),
      firstKept: 1,
      rotatedAt: 0,
      removed: false,
    };
    const fields = {
      type,
      dropsEarlier: type === "checkpoint" && random() < 0.5,
      chain: state.chain,
      seq: state.seq + 1,
      prev: state.head,
      epoch: state.epoch + (type === "rotate" ? int(random, 3) : 0),
      writer: byAdmin ? 0xffff : 0,
    };
    const refs = Array.from({ length: int(random, 5) }, () => idOf(random));
    const payload = randomBytesOf(random, int(random, 200));
    const key = randomBytesOf(random, 32);
    const parts = { fields, payload, ...(type === "rotate" ? { access } : { refs }) };
    const raw = makeLink(parts, key, byAdmin ? admin : writer);
    const link = Link.parse(raw);
    assert.deepEqual(link.fields, fields);
    assert.deepEqual(link.refs, type === "rotate" ? [] : refs);
    assert.deepEqual(link.access, type === "rotate" ? access : undefined);
    assert.deepEqual(link.open(key), payload);
    checkNext(state, link);
    const changed = raw.slice();
    changed[int(random, raw.length)] ^= 1 << int(random, 8);
    assert.throws(
      () => checkNext(state, Link.parse(changed)),
      (error) => /^(malformed|conflict|denied)$/.test(error.code),
    );
  }));

/** An answer whose body comes in pieces of random sizes. */
function answerOf(body, random) {
  let at = 0;
  const stream = new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close();
      const size = 1 + int(random, 9);
      controller.enqueue(body.slice(at, at + size));
      at += size;
    },
  });
  return new Answer("GET /", new Response(stream), new Lifeline(), 10_000);
}

test("Frames.AreReadHoweverTheyAreCut", () =>
  forSeeds(50, async (random) => {
    const frames = Array.from({ length: int(random, 6) }, () =>
      randomBytesOf(random, int(random, 30)),
    );
    const body = encodeFrames(frames);
    const all = answerOf(body, random);
    assert.deepEqual(await readFrames(all, 6, 30), frames);
    all.line.stop();
    const answer = answerOf(body, random);
    const reader = new FrameReader(answer);
    for (const frame of frames) {
      assert.deepEqual(await reader.takeAll(await reader.takeLength()), frame);
    }
    assert.equal(await reader.takeLength(), undefined);
    answer.line.stop();
    if (body.length === 0) return;
    const cut = answerOf(body.subarray(0, -1 - int(random, 3)), random);
    const error = await failureOf(readFrames(cut, 6, 30)).catch(() => undefined);
    assert.ok(error === undefined || error.code === "bad-answer");
    cut.line.stop();
  }));

test("Events.AreReadHoweverTheyAreCut", () =>
  forSeeds(50, async (random) => {
    const end = ["\n", "\r\n", "\r"][int(random, 3)];
    const lines = [
      ": hello",
      "",
      "id: 7",
      "event: link",
      "data: ä1",
      "data:2",
      "",
      "data",
      "",
      "data: cut",
    ];
    const answer = answerOf(utf8(lines.join(end)), random);
    const events = [];
    for await (const event of readEvents(answer)) events.push(event);
    answer.line.stop();
    assert.deepEqual(events, [
      { event: "link", data: "ä1\n2", id: "7" },
      { event: "message", data: "", id: "7" },
    ]);
  }));

test("InOrder.ResultsComeInOrderAndNoMoreThanTheWidthAtOnce", () =>
  forSeeds(30, async (random) => {
    const width = 1 + int(random, 5);
    const items = Array.from({ length: int(random, 30) }, (_, i) => i);
    const fails = random() < 0.5 ? int(random, 30) : -1;
    let underWay = 0;
    const task = async (item, signal) => {
      assert.ok(++underWay <= width);
      for (let ticks = int(random, 5); ticks > 0; ticks--) await new Promise(setImmediate);
      underWay--;
      if (item === fails) throw new Error(`item ${item}`);
      signal.throwIfAborted();
      return item * 2;
    };
    const results = [];
    const run = (async () => {
      for await (const result of inOrder(items, width, undefined, task)) results.push(result);
    })();
    if (fails >= 0 && fails < items.length) {
      assert.equal((await failureOf(run)).message, `item ${fails}`);
      assert.ok(results.length <= fails);
    } else {
      await run;
      assert.deepEqual(
        results,
        items.map((item) => item * 2),
      );
    }
    assert.equal(underWay, 0, "nothing is left under way");
  }));

test("Stopper.FollowsItsCallerUntilItIsStopped", () => {
  const caller = new AbortController();
  const stopper = new Stopper(caller.signal);
  const stopped = new Stopper(caller.signal);
  stopped.stop();
  caller.abort(new Error("enough"));
  assert.equal(stopper.signal.reason.message, "enough");
  assert.equal(stopped.signal.reason.name, "AbortError");
  assert.equal(new Stopper(caller.signal).signal.aborted, true);
});
