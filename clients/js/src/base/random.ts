// Randomness, from the platform.

import { webCrypto } from "#webcrypto";

import type { Bytes } from "./bytes.js";

/** `size` bytes from the platform's cryptographic generator; at most 65,536. */
export function randomBytes(size: number): Bytes {
  return webCrypto.getRandomValues(new Uint8Array(size));
}
