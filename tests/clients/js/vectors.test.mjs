// Every golden vector of tests/vectors, against the SDK. What the C++ reads this reads to the same
// values, and what it refuses this refuses. (The placement numbers of ids.json are the node's
// alone.)

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toBase64Url, toHex } from "../../../clients/js/dist/base/bytes.js";
import { LinkRefused } from "../../../clients/js/dist/base/errors.js";
import { formatCapability, parseCapability } from "../../../clients/js/dist/formats/capability.js";
import { advance, checkNext, stateOf } from "../../../clients/js/dist/formats/chain_state.js";
import { isValidKey, PublicKey, signerOf } from "../../../clients/js/dist/formats/ed25519.js";
import { parseId, toCid } from "../../../clients/js/dist/formats/cid.js";
import { Receipts } from "../../../clients/js/dist/receipts.js";
import { blockIdOf, chainIdOf } from "../../../clients/js/dist/formats/ids.js";
import { deriveKey, readKeysOf, writeKeysOf } from "../../../clients/js/dist/formats/keys.js";
import { Link } from "../../../clients/js/dist/formats/link.js";
import { parseManifest } from "../../../clients/js/dist/formats/manifest.js";
import { encodeManifest } from "../../../clients/js/dist/formats/manifest_writer.js";
import {
  maxPlaintextBytes,
  openBlock,
  padmeLength,
  sealBlock,
} from "../../../clients/js/dist/formats/seal.js";
import { Verifier } from "../../../clients/js/dist/formats/verifier.js";

const vectorsOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
const bytes = (text) => fromHex(text) ?? assert.fail(`not hex: ${text}`);
const refused = (code) => (error) => error.code === code;

/** Runs `check` on each case, names the one that fails, and counts: no case is no test. */
async function each(cases, check) {
  assert.ok(cases.length > 0);
  for (const one of cases) {
    try {
      await check(one);
    } catch (error) {
      error.message = `${one.name ?? JSON.stringify(one).slice(0, 200)}: ${error.message}`;
      throw error;
    }
  }
}

test("Vectors.Ids", async () => {
  const { blocks, refused: wrong } = vectorsOf("ids");
  await each(blocks, async ({ bytes: raw, hex, cid }) => {
    assert.equal(await blockIdOf(bytes(raw)), hex);
    assert.equal(toCid(hex), cid);
    assert.equal(parseId(cid), hex);
    assert.equal(parseId(hex), hex);
  });
  await each(wrong, ({ text }) => assert.throws(() => parseId(text), refused("malformed")));
});

test("Vectors.Keys", async () => {
  const { kdf, write, read } = vectorsOf("keys");
  await each(kdf, ({ master, subkey, context, key }) => {
    assert.equal(toHex(deriveKey(bytes(master), BigInt(subkey), context)), key);
  });
  await each(write, (one) => {
    const keys = writeKeysOf(bytes(one.write_secret));
    assert.equal(toHex(keys.signSeed), one.sign_seed);
    assert.equal(toHex(keys.readSecret), one.read_secret);
    assert.equal(toHex(keys.adminSeed), one.admin_seed);
    assert.equal(toHex(signerOf(keys.signSeed).publicKey), one.writer_public_key);
    assert.equal(toHex(signerOf(keys.adminSeed).publicKey), one.admin_public_key);
  });
  await each(read, (one) => {
    const keys = readKeysOf(bytes(one.read_secret));
    assert.equal(toHex(keys.linkKey), one.link_key);
    assert.equal(toHex(keys.blockKey), one.block_key);
    assert.equal(toHex(keys.boxSeed), one.box_seed);
    assert.equal(toHex(keys.fetchToken), one.fetch_token);
    assert.equal(toHex(keys.fetchTokenHash), one.fetch_token_hash);
  });
});

test("Vectors.Seal", async () => {
  const { opens, large, two_keys: twoKeys, refused: wrong, padme } = vectorsOf("seal");
  await each(opens, ({ key, salt, padded, plaintext, sealed }) => {
    assert.equal(
      toHex(sealBlock(bytes(plaintext), bytes(key), { padded, salt: bytes(salt) })),
      sealed,
    );
    assert.equal(toHex(openBlock(bytes(sealed), bytes(key))), plaintext);
  });
  await each(large, async ({ key, salt, padded, plaintext_bytes, sealed_bytes, sealed_id }) => {
    const plaintext = Uint8Array.from({ length: plaintext_bytes }, (_, i) => i % 251);
    const sealed = sealBlock(plaintext, bytes(key), { padded, salt: bytes(salt) });
    assert.equal(sealed.length, sealed_bytes);
    assert.equal(await blockIdOf(sealed), sealed_id);
    assert.deepEqual(openBlock(sealed, bytes(key)), plaintext);
  });
  await each(twoKeys, ({ key, other_key, plaintext, sealed }) => {
    assert.equal(toHex(openBlock(bytes(sealed), bytes(key))), plaintext);
    assert.throws(() => openBlock(bytes(sealed), bytes(other_key)), refused("not-opened"));
  });
  await each(wrong, ({ key, sealed }) => {
    assert.throws(() => openBlock(bytes(sealed), bytes(key)), refused("not-opened"));
  });
  await each(padme, ({ size, padded }) => assert.equal(padmeLength(size), padded));
});

test("Seal.MaxPlaintextIsTheLongestThatFits", () => {
  for (const limit of [77, 78, 100, 1000, 65_536, 1_048_576, 16_777_216]) {
    const longest = maxPlaintextBytes(limit);
    assert.ok(padmeLength(longest + 1) + 76 <= limit, `${limit}`);
    assert.ok(padmeLength(longest + 2) + 76 > limit, `${limit}`);
  }
  assert.throws(() => maxPlaintextBytes(76), RangeError);
});

test("Vectors.Ed25519", async () => {
  const { verifies, refused: wrong, keys } = vectorsOf("ed25519");
  const says = ({ key, message, signature }) =>
    PublicKey.of(bytes(key))?.verifies(bytes(message), bytes(signature)) ?? false;
  await each(verifies, (one) => {
    const signer = signerOf(bytes(one.seed));
    assert.equal(toHex(signer.publicKey), one.key);
    assert.equal(toHex(signer.sign(bytes(one.message))), one.signature);
    assert.equal(says(one), true);
  });
  await each(wrong, (one) => assert.equal(says(one), false));
  await each(keys, ({ key, valid }) => assert.equal(isValidKey(bytes(key)), valid));
});

const { subtle } = webcrypto;
/** Platforms by what their Ed25519 does: this one, none at all, one that takes everything. */
const kPlatforms = {
  "of this platform": {},
  "where there is none": { importKey: async () => Promise.reject(new Error("unknown algorithm")) },
  "where it is lax": { verify: async () => true },
};

for (const [name, replaced] of Object.entries(kPlatforms)) {
  test(`Vectors.Ed25519Verifier ${name}`, async (t) => {
    for (const [call, stub] of Object.entries(replaced)) t.mock.method(subtle, call, stub);
    const { verifies, refused: wrong } = vectorsOf("ed25519");
    const verifier = new Verifier();
    const says = ({ key, message, signature }) =>
      verifier.verify(bytes(key), bytes(message), bytes(signature));
    await each(verifies, async (one) => assert.equal(await says(one), true));
    await each(wrong, async (one) => assert.equal(await says(one), false));
  });
}

test("Vectors.Capability", async () => {
  const { reads, refused: wrong } = vectorsOf("capability");
  await each(reads, ({ kind, chain, secret, text }) => {
    const capability = parseCapability(text);
    assert.equal(capability.kind, kind);
    assert.equal(capability.chain, chain);
    assert.equal(capability.secret && toHex(capability.secret), secret);
    assert.equal(formatCapability(capability), text);
  });
  await each(wrong, ({ text }) => assert.throws(() => parseCapability(text), refused("malformed")));
});

test("Vectors.Manifests", async () => {
  const { manifests, manifests_refused: wrong } = vectorsOf("chain");
  await each(manifests, (one) => {
    const manifest = parseManifest(bytes(one.manifest));
    assert.equal(manifest.gated, one.gated);
    assert.equal(toHex(manifest.admin), one.admin);
    assert.equal(toHex(manifest.access.box), one.box);
    assert.equal(toHex(manifest.access.fetchTokenHash), one.fetch_token_hash);
    assert.equal(manifest.access.writers.map(toHex).join(""), one.writers);
    assert.equal(chainIdOf(bytes(one.manifest)), one.chain);
    assert.equal(toHex(encodeManifest(manifest)), one.manifest);
  });
  await each(wrong, ({ manifest }) => {
    assert.throws(() => parseManifest(bytes(manifest)), refused("malformed"));
  });
});

test("Vectors.Chain", async () => {
  const vectors = vectorsOf("chain");
  const raw = bytes(vectors.manifests[0].manifest);
  const states = [stateOf(parseManifest(raw), chainIdOf(raw))];
  await each(vectors.links, (one) => {
    const link = Link.parse(bytes(one.link));
    checkNext(states.at(-1), link);
    const after = advance(states.at(-1), link);
    states.push(after);
    assert.deepEqual(
      [after.head, after.seq, after.epoch, after.firstKept, after.rotatedAt, after.removed],
      [one.id, one.seq, one.epoch, one.first_kept, one.rotated_at, one.removed],
    );
    assert.equal(toHex(link.open(bytes(one.link_key))), one.payload);
  });
  await each(vectors.refused, ({ after, link, error }) => {
    const take = () => checkNext(states[after], Link.parse(bytes(link)));
    assert.throws(take, (thrown) => thrown instanceof LinkRefused && thrown.code === error);
  });
  await each(vectors.payloads_refused, ({ link, link_key }) => {
    const open = () => Link.parse(bytes(link)).open(bytes(link_key));
    assert.throws(open, refused("not-opened"));
  });
});

test("Vectors.Receipts", async () => {
  const { receipts, refused: wrong } = vectorsOf("receipts");
  const signed = ({ node, chain, seq, link, epoch, time, signature }) =>
    new Receipts(toBase64Url(bytes(node))).verify({
      chain,
      seq: Number(seq),
      link,
      epoch,
      time: Number(time),
      signature: toBase64Url(bytes(signature)),
    });
  await each(receipts, async (one) => assert.equal(await signed(one), true));
  await each(wrong, async (one) => assert.equal(await signed(one), false));
});
