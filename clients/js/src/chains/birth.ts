// The manifest of a new chain.

import type { Bytes } from "../base/bytes.js";
import { randomBytes } from "../base/random.js";
import { boxKeyOf } from "../formats/box.js";
import { signerOf } from "../formats/ed25519.js";
import { readKeysOf, writeKeysOf } from "../formats/keys.js";
import { encodeManifest } from "../formats/manifest_writer.js";

/**
 * @param writers Ed25519 keys that may write besides the write secret's own; at most 15
 * @throws RangeError over 16 writers
 */
export function newManifest(
  writeSecret: Bytes,
  gated: boolean,
  writers: readonly Bytes[],
  salt: Bytes = randomBytes(16),
): Bytes {
  const { signSeed, adminSeed, readSecret } = writeKeysOf(writeSecret);
  const { boxSeed, fetchTokenHash } = readKeysOf(readSecret);
  const named = [signerOf(signSeed).publicKey, ...writers];
  const access = { box: boxKeyOf(boxSeed), fetchTokenHash, writers: named };
  const admin = signerOf(adminSeed).publicKey;
  return encodeManifest({ gated, salt, admin, access });
}
