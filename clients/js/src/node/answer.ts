// One answer of a node while it is read: its body under an idle limit, as parts, bytes or JSON.

import { concat, fromUtf8, type Bytes } from "../base/bytes.js";
import { BadAnswer, Refused, Unreachable, type Problem } from "../base/errors.js";
import { Stopper } from "../base/stopper.js";
import { parseRetryAfter } from "./wait.js";

/** Longer JSON than any call's. */
const kMaxJsonBytes = 64 * 1024 * 1024;

/** Ends a request: by its caller's signal, by a time limit, or when it is done with. */
export class Lifeline extends Stopper {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timedOut = false;

  /** Starts the time limit anew. */
  within(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.stop();
    }, ms);
  }

  /** Closes the connection if it is still in use. */
  override stop(): void {
    clearTimeout(this.#timer);
    super.stop();
  }

  /** What a failed call of fetch means. @throws the signal's reason when the caller aborted */
  meaningOf(error: unknown): Unreachable {
    const code = this.#timedOut ? "timeout" : "unreachable";
    if (!this.#timedOut) this.signal.throwIfAborted();
    return new Unreachable(code, { cause: error });
  }
}

export class Answer {
  constructor(
    readonly route: string,
    readonly response: Response,
    readonly line: Lifeline,
    readonly idleMs: number,
  ) {}

  bad(reason: string): BadAnswer {
    return new BadAnswer(`The node's answer is not of its API: ${reason}.`, {
      route: this.route,
      reason,
    });
  }

  /**
   * The body as it arrives.
   * @throws Unreachable when nothing comes for `idleMs`, or the line breaks
   */
  async *parts(): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.response.body?.getReader();
    if (!reader) return;
    while (true) {
      this.line.within(this.idleMs);
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        throw this.line.meaningOf(error);
      }
      if (part.done) return;
      yield part.value;
    }
  }

  /** The whole body. @throws BadAnswer over `limit` bytes */
  async bytes(limit: number): Promise<Bytes> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.parts()) {
      length += part.length;
      if (length > limit) throw this.bad(`longer than ${limit} bytes`);
      parts.push(part);
    }
    return concat(...parts);
  }

  /** An object. @throws BadAnswer */
  async json(): Promise<Record<string, unknown>> {
    const value = parseObject(await this.bytes(kMaxJsonBytes));
    if (!value) throw this.bad("not a JSON object");
    return value;
  }

  /** The refusal of an answer that is no success (RFC 9457). */
  async refusal(): Promise<Refused> {
    const value = parseObject(await this.bytes(kMaxJsonBytes)) ?? {};
    const { type, title, detail, hint, ...more } = value;
    const text = (member: unknown): string => (typeof member === "string" ? member : "");
    const problem: Problem = {
      status: this.response.status,
      type: text(type),
      title: text(title) || this.response.statusText,
      detail: text(detail),
      hint: text(hint),
      retryAfterMs: parseRetryAfter(this.response.headers.get("Retry-After"), Date.now()),
      more,
    };
    return new Refused(problem);
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes) ?? "");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
