// The index of a stored file: its name, type and size, and the ids of its blocks in order. It is
// sealed and stored as one more block, so the node learns none of it. Whoever holds the index
// block's id and the read secret holds the file. Pure; no I/O.

const kFormat = "cairn-welcome-file-1";
const kIdText = /^[0-9a-f]{64}$/;

/**
 * @typedef {object} FileIndex
 * @property {string} name
 * @property {string} type media type, "" when unknown
 * @property {number} size bytes
 * @property {number} chunk bytes of plaintext in each block but the last
 * @property {string[]} blocks ids, in the order of the file
 */

/** @param {FileIndex} index @returns {Uint8Array<ArrayBuffer>} */
export function encodeIndex(index) {
  const { name, type, size, chunk, blocks } = index;
  const text = JSON.stringify({ format: kFormat, name, type, size, chunk, blocks });
  return /** @type {Uint8Array<ArrayBuffer>} */ (new TextEncoder().encode(text));
}

/** @param {unknown} value */
function isLength(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/**
 * A share link can come from anyone, so every field is checked before it is used.
 * @param {Uint8Array} bytes @returns {FileIndex}
 * @throws {Error} when it is not an index of this format
 */
export function decodeIndex(bytes) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error("The block opened, but it is not the index of a file.");
  }
  const valid =
    value?.format === kFormat &&
    typeof value.name === "string" &&
    value.name.length <= 1024 &&
    typeof value.type === "string" &&
    value.type.length <= 256 &&
    isLength(value.size) &&
    isLength(value.chunk) &&
    value.chunk > 0 &&
    Array.isArray(value.blocks) &&
    value.blocks.every((/** @type {unknown} */ id) => typeof id === "string" && kIdText.test(id)) &&
    value.blocks.length === Math.ceil(value.size / value.chunk);
  if (!valid) throw new Error("The block opened, but it is not the index of a file.");
  const { name, type, size, chunk, blocks } = value;
  return { name, type, size, chunk, blocks };
}
