// A share link carries what opens a file in the URL's fragment, which a browser never sends:
//
//   https://host/#file=<id of the index block, 64 hex digits>&read=<read secret, base64url>
//
// Pure; no I/O.

import { fromBase64Url, fromHex, toBase64Url } from "./bytes.js";
import { kSecretBytes } from "./seal.js";

/** @typedef {{ id: string, read: Uint8Array }} FileKey an index block's id and the read secret */

/** @param {string} origin @param {FileKey} file @returns {string} */
export function shareLink(origin, file) {
  return `${origin}/#file=${file.id}&read=${toBase64Url(file.read)}`;
}

/**
 * @param {string} fragment location.hash, with or without "#"
 * @returns {{ kind: "none" } | { kind: "damaged" } | { kind: "file", file: FileKey }}
 */
export function parseShareLink(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const id = fields.get("file");
  if (id === null) return { kind: "none" };
  const idBytes = fromHex(id);
  const read = fromBase64Url(fields.get("read") ?? "");
  if (idBytes?.length !== 32 || read?.length !== kSecretBytes) return { kind: "damaged" };
  return { kind: "file", file: { id, read } };
}
