// Writes manifests; manifest.ts reads them.

import { concat, type Bytes } from "../base/bytes.js";
import { accessBytes, kGated, kManifestStart, type Manifest } from "./manifest.js";

/** @throws RangeError for a number of writers out of range */
export function encodeManifest({ gated, salt, admin, access }: Manifest): Bytes {
  const [box, fetchTokenHash, ...writers] = accessBytes(access);
  const flags = Uint8Array.of(...kManifestStart, gated ? kGated : 0);
  const count = Uint8Array.of(writers.length);
  return concat(flags, salt, admin, box!, fetchTokenHash!, count, ...writers);
}
