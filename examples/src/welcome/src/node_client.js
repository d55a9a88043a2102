// The block API of a Cairn node, as far as this page uses it. A busy node (429, 503) is asked again
// when it says so, within limits; everything else becomes a NodeError that names what happened.

const kMaxAttempts = 6;
const kMaxWaitMs = 30_000;
const kRequestDeadlineMs = 120_000;
const kMaxBlockBytes = 16 * 1024 * 1024;
const kMaxIdsAtOnce = 1000;

/**
 * @typedef {"unreachable" | "denied" | "busy" | "full" | "too-large" | "not-held" | "unexpected"}
 *   NodeErrorKind
 */

/** What a node refused, or that it did not answer. */
export class NodeError extends Error {
  /**
   * @param {NodeErrorKind} kind @param {string} message
   * @param {{ status?: number, hint?: string }} [more]
   */
  constructor(kind, message, more = {}) {
    super(message);
    this.name = "NodeError";
    this.kind = kind;
    this.status = more.status ?? 0;
    this.hint = more.hint ?? "";
  }
}

/** @param {number} status @returns {NodeErrorKind} */
function kindOf(status) {
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "not-held";
  if (status === 413) return "too-large";
  if (status === 429 || status === 503) return "busy";
  return status === 507 ? "full" : "unexpected";
}

/** RFC 9457. @param {Response} response @returns {Promise<NodeError>} */
async function problemOf(response) {
  let problem = null;
  try {
    problem = JSON.parse((await response.text()).slice(0, 16_384));
  } catch {
    // No problem document: the status alone says it.
  }
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
  const message = text(problem?.detail) || text(problem?.title) || response.statusText;
  return new NodeError(kindOf(response.status), message || `status ${response.status}`, {
    status: response.status,
    hint: text(problem?.hint),
  });
}

/**
 * @param {string | null} value a Retry-After field @param {number} now ms since 1970
 * @returns {number | null} ms
 */
export function parseRetryAfter(value, now) {
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * @param {Response} response @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {NodeError} when the body is longer than any block can be
 */
async function readBody(response) {
  const parts = [];
  let length = 0;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > kMaxBlockBytes) {
      await reader.cancel();
      throw new NodeError("unexpected", "The answer is longer than any block can be.");
    }
    parts.push(part.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} rejects on abort */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      signal.removeEventListener("abort", stopped);
      resolve();
    }
    function stopped() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    if (signal.aborted) stopped();
    else signal.addEventListener("abort", stopped, { once: true });
  });
}

/** @param {Response} answer @returns {Promise<string[]>} */
async function readMissing(answer) {
  const text = await answer.text();
  let value = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: some other server answers here, which the check below says.
  }
  if (!Array.isArray(value?.missing)) {
    throw new NodeError("unexpected", "The node's answer is not of its API.");
  }
  return value.missing;
}

/**
 * @typedef {object} Waiting a pause that the node asked for, or that a lost connection needs
 * @property {number} status 0 when there was no answer
 * @property {number} ms
 */

export class NodeClient {
  /**
   * @param {{ base?: string, fetch?: typeof fetch, pause?: typeof pause,
   *   onWait?: (waiting: Waiting) => void }} [world] tests give their own
   */
  constructor(world = {}) {
    this.base_ = world.base ?? "/v1";
    this.fetch_ = world.fetch ?? fetch.bind(globalThis);
    this.pause_ = world.pause ?? pause;
    this.onWait = world.onWait ?? (() => {});
  }

  /**
   * @param {string} id @param {Uint8Array<ArrayBuffer>} bytes @param {AbortSignal} signal
   * @returns {Promise<{ ms: number }>} once the node says that the block is durable
   */
  async put(id, bytes, signal) {
    const headers = { "Content-Type": "application/octet-stream" };
    const init = { method: "PUT", headers, body: bytes };
    const { ms } = await this.call_(`/blocks/${id}`, signal, init, (answer) => answer.text());
    return { ms };
  }

  /**
   * Always asks the node, never the browser's own cache: what is shown is what the node did.
   * @param {string} id @param {AbortSignal} signal
   * @returns {Promise<{ bytes: Uint8Array<ArrayBuffer>, source: string, ms: number }>}
   *   unchecked: the caller holds the bytes against the id
   */
  async get(id, signal) {
    const { value, ms } = await this.call_(
      `/blocks/${id}`,
      signal,
      { cache: "no-store" },
      async (answer) => ({
        bytes: await readBody(answer),
        source: answer.headers.get("Cairn-Source") ?? "not said",
      }),
    );
    return { ...value, ms };
  }

  /**
   * @param {string[]} ids @param {AbortSignal} signal
   * @returns {Promise<{ missing: Set<string>, ms: number }>} ms: of the last call
   */
  async missing(ids, signal) {
    const missing = new Set();
    let ms = 0;
    for (let at = 0; at < ids.length; at += kMaxIdsAtOnce) {
      const body = JSON.stringify({ ids: ids.slice(at, at + kMaxIdsAtOnce) });
      const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
      const answer = await this.call_("/blocks/missing", signal, init, readMissing);
      ms = answer.ms;
      for (const id of answer.value) missing.add(id);
    }
    return { missing, ms };
  }

  /**
   * Asks until the node answers, within the limits above. Every call here may be repeated: blocks
   * are named by their bytes.
   * @template T @param {string} path @param {AbortSignal} signal @param {RequestInit} init
   * @param {(answer: Response) => Promise<T>} read @returns {Promise<{ value: T, ms: number }>}
   */
  async call_(path, signal, init, read) {
    for (let attempt = 1; ; attempt++) {
      const started = performance.now();
      const { value, problem, asked } = await this.attempt_(path, signal, init, read);
      if (problem === null) return { value, ms: performance.now() - started };
      const lost = problem.kind === "unreachable";
      const again = problem.kind === "busy" || lost || (problem.kind === "full" && asked !== null);
      const ms = asked ?? 250 * 2 ** (attempt - 1) * (1 + Math.random() / 2);
      const attempts = lost ? kMaxAttempts / 2 : kMaxAttempts;
      if (!again || attempt >= attempts || ms > kMaxWaitMs) throw problem;
      this.onWait({ status: problem.status, ms });
      await this.pause_(ms, signal);
    }
  }

  /**
   * One request and its whole answer, under one deadline.
   * @template T @param {string} path @param {AbortSignal} signal @param {RequestInit} init
   * @param {(answer: Response) => Promise<T>} read
   * @returns {Promise<{ value: T, problem: null, asked: null } |
   *   { value: null, problem: NodeError, asked: number | null }>} asked: ms, as Retry-After says
   */
  async attempt_(path, signal, init, read) {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), kRequestDeadlineMs);
    const stop = () => deadline.abort();
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      const answer = await this.fetch_(this.base_ + path, { ...init, signal: deadline.signal });
      if (answer.ok) return { value: await read(answer), problem: null, asked: null };
      const asked = parseRetryAfter(answer.headers.get("Retry-After"), Date.now());
      return { value: null, problem: await problemOf(answer), asked };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NodeError) return { value: null, problem: error, asked: null };
      const message = deadline.signal.aborted
        ? "The node did not answer in time."
        : "The node could not be reached.";
      return { value: null, problem: new NodeError("unreachable", message), asked: null };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}
