// Follows a chain as it grows: links are pushed by the node, and fetched where one is missing. Each
// passes the same checks as in a walk. A part of its own, loaded by those who subscribe.

import { fromBase64Url } from "../base/bytes.js";
import { LinkRefused, Refused, Unreachable } from "../base/errors.js";
import type { Answer } from "../node/answer.js";
import { reading, type Reading } from "../node/chain_routes.js";
import { readEvents } from "../node/events.js";
import type { Transport } from "../node/transport.js";
import { backOffMs, pause } from "../node/wait.js";
import type { Followed } from "./follow.js";
import type { ChainLog } from "./log.js";

/** The node sends a comment every 15 s. */
const kIdleMs = 45_000;

/**
 * Checked links from a seq on, without an end but the chain's. Comes back after the node was away.
 * @throws what a walk throws, but for Unreachable and a busy node
 */
export async function* live(
  log: ChainLog,
  transport: Transport,
  from: number,
  options: () => Reading,
): AsyncGenerator<Followed, void, undefined> {
  const { signal } = options();
  let next = from;
  for (let failures = 0; ; ) {
    try {
      for await (const followed of log.walk(next, signal)) {
        yield followed;
        next = followed.link.fields.seq + 1;
      }
      if (log.head.removed) return;
      failures = 0;
      for await (const followed of pushed(log, transport, next, options())) {
        yield followed;
        next = followed.link.fields.seq + 1;
      }
    } catch (error) {
      const passing =
        error instanceof Unreachable || (error instanceof Refused && error.code === "busy");
      if (!passing) throw error;
      failures++;
    }
    // At least one pause a round: a node that ends each stream at once is not asked in a loop.
    await pause(backOffMs(Math.max(failures, 1)), signal);
  }
}

/** Links from `next` on, in a row, as long as they are pushed that way. */
async function* pushed(
  log: ChainLog,
  transport: Transport,
  next: number,
  options: Reading,
): AsyncGenerator<Followed, void, undefined> {
  const { headers, signal } = reading(options);
  const accept = { Accept: "text/event-stream", "Last-Event-ID": String(next - 1) };
  const request = { headers: { ...headers, ...accept }, signal, idleMs: kIdleMs };
  const path = `/chains/${log.head.chain}/events`;
  for await (const bytes of transport.stream(path, request, readLinks)) {
    const isNext = bytes !== undefined && log.head.seq === next - 1;
    const links = isNext ? await takeOrNone(log, bytes) : [];
    if (links.length > 0) {
      next++;
      yield links[0]!;
      continue;
    }
    // Known already, or not what comes next: the walk says which, and what that means.
    for await (const followed of log.walk(next, signal)) {
      yield followed;
      next = followed.link.fields.seq + 1;
    }
  }
}

/** The link of each event; `undefined` for the word to ask for what came meanwhile. */
async function* readLinks(answer: Answer): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  for await (const { event, data } of readEvents(answer)) {
    yield event === "link" ? fromBase64Url(data) : undefined;
  }
}

async function takeOrNone(log: ChainLog, raw: Uint8Array): Promise<readonly Followed[]> {
  try {
    return await log.take([raw]);
  } catch (error) {
    if (error instanceof LinkRefused) return [];
    throw error;
  }
}
