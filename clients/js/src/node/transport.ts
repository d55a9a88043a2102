// Requests to one node over fetch: time limits, attempts with back-off, refusals as typed errors.
// Everything a node is asked here may be asked twice: blocks, manifests and links are named by
// their bytes.

import { Refused, Unreachable } from "../base/errors.js";
import { Answer, Lifeline } from "./answer.js";
import { backOffMs, pause } from "./wait.js";

/** A pause before the next attempt: the node asked for it, or could not be reached. */
export interface Waiting {
  readonly error: Refused | Unreachable;
  readonly ms: number;
}

export interface TransportOptions {
  /** The site's origin, `https://example.org`; default: the page's own. */
  readonly url?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** How long an answer may take to begin, and to go on; default 60,000. Uploads count. */
  readonly timeoutMs?: number;
  /**
   * Attempts of a call that the node is too busy for; default 6. Half as many where it cannot be
   * reached.
   */
  readonly attempts?: number;
  /** The longest pause that the node is granted; default 30,000. */
  readonly maxWaitMs?: number;
  /** Told before each pause. */
  readonly onWait?: (waiting: Waiting) => void;
  /** A bearer token for what the site's write policy asks an account for. */
  readonly token?: () => string | undefined | Promise<string | undefined>;
}

export interface Request {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
  /** Overrides the transport's. */
  readonly idleMs?: number;
}

export class Transport {
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #maxWaitMs: number;
  readonly #onWait: (waiting: Waiting) => void;
  readonly #token: NonNullable<TransportOptions["token"]>;

  constructor(options: TransportOptions = {}) {
    this.#base = `${(options.url ?? "").replace(/\/$/, "")}/v1`;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#attempts = options.attempts ?? 6;
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
    this.#onWait = options.onWait ?? (() => {});
    this.#token = options.token ?? (() => undefined);
  }

  /**
   * Asks until the node answers with a success, within the limits, and reads the answer.
   * @param path below `/v1`
   * @param read may throw; Unreachable makes another attempt
   * @throws Refused, Unreachable, the signal's reason, or what `read` throws
   */
  async call<T>(path: string, request: Request, read: (answer: Answer) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(path, request, read);
      } catch (error) {
        const ms = this.#pauseAfter(error, attempt);
        if (ms === undefined) throw error;
        await pause(ms, request.signal);
      }
    }
  }

  /** One attempt whose answer is read while it arrives; the caller drains or leaves the loop. */
  async *stream<T>(
    path: string,
    request: Request,
    read: (answer: Answer) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    const answer = await this.#send(path, request);
    try {
      if (!answer.response.ok) throw await answer.refusal();
      yield* read(answer);
    } finally {
      answer.line.stop();
    }
  }

  async #attempt<T>(
    path: string,
    request: Request,
    read: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const answer = await this.#send(path, request);
    try {
      if (!answer.response.ok) throw await answer.refusal();
      return await read(answer);
    } finally {
      answer.line.stop();
    }
  }

  /** How long to wait before the next attempt, in ms; `undefined` where there is none. */
  #pauseAfter(error: unknown, attempt: number): number | undefined {
    const lost = error instanceof Unreachable;
    if (!lost && !(error instanceof Refused)) return undefined;
    const asked = lost ? undefined : error.problem.retryAfterMs;
    const again = lost || error.code === "busy" || (error.code === "full" && asked !== undefined);
    const attempts = lost ? Math.ceil(this.#attempts / 2) : this.#attempts;
    const ms = asked ?? backOffMs(attempt);
    if (!again || attempt >= attempts || ms > this.#maxWaitMs) return undefined;
    this.#onWait({ error, ms });
    return ms;
  }

  async #send(path: string, request: Request): Promise<Answer> {
    const { method = "GET", body, signal, idleMs = this.#timeoutMs } = request;
    const headers: Record<string, string> = { ...request.headers };
    const token = await this.#token();
    if (token !== undefined) headers["Authorization"] ??= `Bearer ${token}`;
    const line = new Lifeline(signal);
    line.signal.throwIfAborted();
    line.within(this.#timeoutMs);
    const init: RequestInit = { method, headers, signal: line.signal };
    if (body !== undefined) init.body = body as BodyInit;
    try {
      const response = await this.#fetch(this.#base + path, init);
      return new Answer(`${method} /v1${path}`, response, line, idleMs);
    } catch (error) {
      try {
        throw line.meaningOf(error);
      } finally {
        line.stop();
      }
    }
  }
}
