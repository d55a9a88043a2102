// What tells the SDK's own apart: payloads that are not the application's (FORMATS.md, "Grants"),
// and an access that is not known.

import { equal, utf8, type Bytes } from "../base/bytes.js";
import { deriveKey } from "../formats/keys.js";
import type { Access } from "../formats/manifest.js";

export const kGrantsMagic = utf8("cairn-grants-1");

export function isGrants(payload: Uint8Array): boolean {
  return equal(payload.subarray(0, kGrantsMagic.length), kGrantsMagic);
}

/** The box seed by which the holder of a write secret gets later read secrets. */
export function ownerBoxSeed(writeSecret: Uint8Array): Bytes {
  return deriveKey(writeSecret, 1, "cairn-g1");
}

/** Of a state whose writers only a rotate link knew that is gone: nobody can write on it. */
export const kUnknownAccess: Access = {
  box: new Uint8Array(32),
  fetchTokenHash: new Uint8Array(32),
  writers: [],
};
