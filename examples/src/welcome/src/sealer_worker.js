// Seals, hashes and opens blocks off the page's main thread, so that the page stays responsive.
// Answers each message in turn; bytes are moved, never copied, between the two threads.

import { toHex } from "./bytes.js";
import { openBlock, SealError, sealBlock } from "./seal.js";

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string>} */
async function blockIdOf(bytes) {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** @param {{ plaintext: Uint8Array, blockKey: Uint8Array }} job */
async function seal({ plaintext, blockKey }) {
  const started = performance.now();
  const block = sealBlock(plaintext, blockKey);
  const id = await blockIdOf(block);
  return { answer: { block, id, ms: performance.now() - started }, moved: [block.buffer] };
}

/** @param {{ block: Uint8Array<ArrayBuffer>, id: string, blockKey: Uint8Array }} job */
async function open({ block, id, blockKey }) {
  const started = performance.now();
  const actualId = await blockIdOf(block);
  if (actualId !== id) return { answer: { failure: "id", actualId }, moved: [] };
  try {
    // A copy: the plaintext may be a part of a longer, padded buffer.
    const plaintext = openBlock(block, blockKey).slice();
    const answer = { plaintext, block, ms: performance.now() - started };
    return { answer, moved: [plaintext.buffer, block.buffer] };
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    return { answer: { failure: error.code, message: error.message }, moved: [] };
  }
}

self.addEventListener("message", async ({ data }) => {
  try {
    const { answer, moved } = await (data.op === "seal" ? seal(data) : open(data));
    self.postMessage({ seq: data.seq, answer }, { transfer: moved });
  } catch (error) {
    self.postMessage({ seq: data.seq, crash: String(error) });
  }
});
