// SHA-256: the platform's for what is worth a trip to it, else in this thread.

import { sha256 } from "@noble/hashes/sha2.js";
import { webCrypto } from "#webcrypto";

import type { Bytes } from "../base/bytes.js";

/** Below it a call of WebCrypto costs more than it saves. */
const kWorthAsking = 8 * 1024;

/** In this thread: for short input (10 µs for a link). */
export function sha256Sync(bytes: Uint8Array): Bytes {
  return sha256(bytes) as Bytes;
}

/** Outside secure contexts browsers have no `crypto.subtle`; then it is computed here. */
export async function sha256Of(bytes: Uint8Array): Promise<Bytes> {
  if (bytes.length < kWorthAsking || webCrypto?.subtle === undefined) return sha256Sync(bytes);
  return new Uint8Array(await webCrypto.subtle.digest("SHA-256", bytes as Bytes));
}
