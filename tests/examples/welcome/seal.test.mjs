// The page's keys and sealed blocks against the golden vectors, and what must not open.
// Run: tests/examples/run

import assert from "node:assert/strict";
import { createHash, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

import { fromHex, toHex } from "../../../examples/src/welcome/src/bytes.js";
import {
  blockKeyOf,
  deriveKey,
  kSealOverheadBytes,
  maxPlaintextBytes,
  openBlock,
  padmeLength,
  sealBlock,
} from "../../../examples/src/welcome/src/seal.js";

// The page's own packages, for blocks that are sealed wrongly on purpose.
const kNoble = "../../../examples/src/welcome/node_modules/@noble";
const { xchacha20poly1305 } = await import(`${kNoble}/ciphers/chacha.js`);
const { blake2b } = await import(`${kNoble}/hashes/blake2.js`);

globalThis.crypto ??= webcrypto;

const vectorsOf = (name) =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
const keys = vectorsOf("keys");
const seals = vectorsOf("seal");
const bytes = (text) => fromHex(text) ?? assert.fail(`not hex: ${text}`);
const code = (expected) => (error) => error.name === "SealError" && error.code === expected;
const refused = (error) => error.name === "SealError";

/** Seals a body as it is, and says that it is padded. */
function sealWithPaddedFlag(body, blockKey) {
  const head = Uint8Array.from([0x42, 0x31, 1, 1, ...new Uint8Array(24)]);
  const both = blake2b(head, { dkLen: 64, key: blockKey });
  const whole = Uint8Array.from([...head, ...both.subarray(32)]);
  const cipher = xchacha20poly1305(both.subarray(0, 32), new Uint8Array(24), whole);
  return Uint8Array.from([...whole, ...cipher.encrypt(body)]);
}

test("Kdf.EachGoldenVectorIsTheKey", () => {
  assert.ok(keys.kdf.length > 0 && keys.read.length > 0);
  for (const { master, subkey, context, key } of keys.kdf) {
    assert.equal(toHex(deriveKey(bytes(master), BigInt(subkey), context)), key);
  }
  for (const { read_secret, block_key } of keys.read) {
    assert.equal(toHex(blockKeyOf(bytes(read_secret))), block_key);
  }
});

test("Kdf.SecretOrContextOfWrongLengthThrows", () => {
  assert.throws(() => deriveKey(new Uint8Array(31), 1, "cairn-r1"), RangeError);
  assert.throws(() => deriveKey(new Uint8Array(32), 1, "cairn-r"), RangeError);
});

test("Seal.EachGoldenVectorIsSealedToTheSameBytesAndOpens", () => {
  assert.ok(seals.opens.length > 0);
  for (const { name, key, salt, padded, plaintext, sealed } of seals.opens) {
    const block = sealBlock(bytes(plaintext), bytes(key), { padded, salt: bytes(salt) });
    assert.equal(toHex(block), sealed, name);
    assert.equal(toHex(openBlock(block, bytes(key))), plaintext, name);
  }
});

test("Seal.EachLargeGoldenVectorHasItsId", () => {
  assert.ok(seals.large.length > 0);
  for (const { key, salt, padded, plaintext_bytes, sealed_bytes, sealed_id } of seals.large) {
    const plaintext = Uint8Array.from({ length: plaintext_bytes }, (_, i) => i % 251);
    const block = sealBlock(plaintext, bytes(key), { padded, salt: bytes(salt) });
    assert.equal(block.length, sealed_bytes);
    assert.equal(createHash("sha256").update(block).digest("hex"), sealed_id);
    assert.ok(Buffer.from(openBlock(block, bytes(key))).equals(plaintext));
  }
});

test("Open.EachRefusedGoldenVectorIsRefused", () => {
  assert.ok(seals.refused.length > 0);
  for (const { name, key, sealed } of seals.refused) {
    assert.throws(() => openBlock(bytes(sealed), bytes(key)), refused, name);
  }
});

test("Open.BlockMadeForTwoKeysOpensUnderOne", () => {
  assert.ok(seals.two_keys.length > 0);
  for (const { name, key, plaintext, other_key, sealed } of seals.two_keys) {
    assert.equal(toHex(openBlock(bytes(sealed), bytes(key))), plaintext, name);
    assert.throws(() => openBlock(bytes(sealed), bytes(other_key)), code("commit"), name);
  }
});

test("Seal.SaltIsFreshEachTime", () => {
  const key = blockKeyOf(new Uint8Array(32));
  assert.notEqual(
    toHex(sealBlock(new Uint8Array(9), key)),
    toHex(sealBlock(new Uint8Array(9), key)),
  );
});

test("Open.AnyByteFlippedIsRefused", () => {
  const key = blockKeyOf(new Uint8Array(32));
  const sealed = sealBlock(new Uint8Array(100), key);
  for (let i = 0; i < sealed.length; i++) {
    for (const bit of [0, 7]) {
      const changed = sealed.slice();
      changed[i] ^= 1 << bit;
      // Magic, suite and unknown flags are malformed; the padded flag, salt and commit break the
      // commitment; the rest breaks the tag.
      const expected = i < 3 || (i === 3 && bit === 7) ? "malformed" : i < 60 ? "commit" : "tag";
      assert.throws(() => openBlock(changed, key), code(expected), `byte ${i}, bit ${bit}`);
    }
  }
});

test("Open.TruncatedOrLongerIsRefused", () => {
  const key = blockKeyOf(new Uint8Array(32));
  const sealed = sealBlock(new Uint8Array(40), key);
  for (let length = 0; length < kSealOverheadBytes; length++) {
    assert.throws(() => openBlock(sealed.subarray(0, length), key), code("malformed"));
  }
  assert.throws(() => openBlock(sealed.subarray(0, sealed.length - 1), key), code("tag"));
  assert.throws(() => openBlock(new Uint8Array([...sealed, 0]), key), code("tag"));
});

test("Open.OtherKeyIsRefusedByTheCommit", () => {
  const sealed = sealBlock(new Uint8Array(40), blockKeyOf(new Uint8Array(32)));
  assert.throws(() => openBlock(sealed, blockKeyOf(new Uint8Array(32).fill(1))), code("commit"));
});

test("Open.PaddingNotAsTheFormatSaysIsRefused", () => {
  // Only someone with the key can make these: sealed by hand, with the flag set on a bare body.
  const key = blockKeyOf(new Uint8Array(32));
  for (const body of [[], [0], [0, 0, 0], [0x80, 1], [1, 0x80, ...new Array(40).fill(0)]]) {
    const sealed = sealWithPaddedFlag(Uint8Array.from(body), key);
    assert.throws(() => openBlock(sealed, key), code("padding"), `body ${body}`);
  }
});

test("Padme.EachGoldenVectorIsPaddedSo", () => {
  assert.ok(seals.padme.length > 0);
  for (const { size, padded } of seals.padme) assert.equal(padmeLength(size), padded);
});

test("Padme.NeverShrinksAndCostsAtMostTwelvePercent", () => {
  for (let length = 1; length < 70_000; length += 7) {
    const padded = padmeLength(length);
    assert.ok(padded >= length && padded <= length * 1.12 + 1, `${length} -> ${padded}`);
    assert.equal(padmeLength(padded), padded);
  }
});

test("MaxPlaintext.SealedBlockJustFitsTheLimit", () => {
  const key = blockKeyOf(new Uint8Array(32));
  for (const limit of [4096, 16_384, 65_536, 262_144, 1_048_576]) {
    const most = maxPlaintextBytes(limit);
    assert.ok(sealBlock(new Uint8Array(most), key).length <= limit);
    assert.ok(sealBlock(new Uint8Array(most + 1), key).length > limit);
  }
  assert.throws(() => maxPlaintextBytes(kSealOverheadBytes), RangeError);
});
