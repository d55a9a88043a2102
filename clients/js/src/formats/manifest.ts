// Manifests (docs/formats.md): what a chain is, before its first link. The chain's id is the hash
// of these bytes, so nobody can change who administers it.

import { concat, isZero, type Bytes } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { isValidKey } from "./ed25519.js";

export const kMaxWriters = 16;

export const kManifestStart = [0x4d, 0x31, 1] as const;
export const kGated = 1;
const kFlagsAt = 3;
const kSaltAt = 4;
const kAdminAt = 20;
const kAccessAt = 52;
const kCountAt = 116;
const kWritersAt = 117;
const kKeyBytes = 32;

/** What can change in the life of a chain: first said by the manifest, then by each rotate link. */
export interface Access {
  /** X25519: others seal to the chain's readers with it. */
  readonly box: Bytes;
  /** SHA-256 of the fetch token, or zeros. */
  readonly fetchTokenHash: Bytes;
  /** Ed25519, 1 to 16; a link names one by its place. */
  readonly writers: readonly Bytes[];
}

export interface Manifest {
  /** Whether the server asks for the fetch token on every read. */
  readonly gated: boolean;
  /** 16 bytes. */
  readonly salt: Bytes;
  /** Ed25519: rotates, trims, deletes. */
  readonly admin: Bytes;
  readonly access: Access;
}

/**
 * Reads `boxPk | fetchTokenHash | writerPk × n`; `undefined` for a key that may not stand there.
 */
export function parseAccess(raw: Uint8Array): Access | undefined {
  const keys = Array.from({ length: raw.length / kKeyBytes }, (_, i) =>
    raw.slice(i * kKeyBytes, (i + 1) * kKeyBytes),
  ) as Bytes[];
  const [box, fetchTokenHash, ...writers] = keys;
  return writers.every(isValidKey)
    ? { box: box!, fetchTokenHash: fetchTokenHash!, writers }
    : undefined;
}

/** @throws RangeError for a number of writers that is out of range */
export function accessBytes(access: Access): Bytes[] {
  if (access.writers.length < 1 || access.writers.length > kMaxWriters) {
    throw new RangeError("A chain has 1 to 16 writers.");
  }
  return [access.box, access.fetchTokenHash, ...access.writers];
}

/** Strict inverse of manifest_writer.ts. @throws FormatError */
export function parseManifest(raw: Uint8Array): Manifest {
  const count = raw[kCountAt] ?? 0;
  const flags = raw[kFlagsAt] ?? 0;
  const shaped =
    kManifestStart.every((byte, i) => raw[i] === byte) &&
    (flags & ~kGated) === 0 &&
    count >= 1 &&
    count <= kMaxWriters &&
    raw.length === kWritersAt + count * kKeyBytes;
  if (!shaped) throw new FormatError("This is not a manifest of suite 1.");
  const admin = raw.slice(kAdminAt, kAccessAt) as Bytes;
  const access = parseAccess(concat(raw.subarray(kAccessAt, kCountAt), raw.subarray(kWritersAt)));
  if (!access || !isValidKey(admin)) {
    throw new FormatError("A key of the manifest is not a valid Ed25519 key.");
  }
  const gated = flags === kGated;
  if (gated && isZero(access.fetchTokenHash)) {
    throw new FormatError("The chain is gated and has no fetch token.");
  }
  return { gated, salt: raw.slice(kSaltAt, kAdminAt) as Bytes, admin, access };
}
