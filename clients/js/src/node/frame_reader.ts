// Frames out of a body while it arrives, however it was cut on the way.

import { concat, viewOf, type Bytes } from "../base/bytes.js";
import type { Answer } from "./answer.js";

const kLengthBytes = 4;

export class FrameReader {
  readonly #answer: Answer;
  readonly #parts: AsyncGenerator<Uint8Array, void, undefined>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#parts = answer.parts();
  }

  /** Exactly `size` bytes; `undefined` at the end of the body. @throws BadAnswer in between */
  async take(size: number): Promise<Bytes | undefined> {
    const pieces: Uint8Array[] = [];
    let missing = size;
    while (missing > this.#held.length) {
      pieces.push(this.#held);
      missing -= this.#held.length;
      const part = await this.#parts.next();
      if (part.done) {
        this.#held = new Uint8Array(0);
        if (missing === size) return undefined;
        throw this.#answer.bad("it ends within a frame");
      }
      this.#held = part.value;
    }
    pieces.push(this.#held.subarray(0, missing));
    this.#held = this.#held.subarray(missing);
    return concat(...pieces);
  }

  /** The next length; `undefined` at the end of the body. */
  async takeLength(): Promise<number | undefined> {
    const raw = await this.take(kLengthBytes);
    return raw && viewOf(raw).getUint32(0, true);
  }

  /** As {@link take}, where the end of the body would be within a frame. */
  async takeAll(size: number): Promise<Bytes> {
    const bytes = size === 0 ? new Uint8Array(0) : await this.take(size);
    if (!bytes) throw this.#answer.bad("it ends within a frame");
    return bytes;
  }
}
