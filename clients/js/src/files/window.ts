// Several tasks under way at once, their results in order, and never more than so many of either
// held.

import { Stopper } from "../base/stopper.js";

/**
 * Runs `task` over the items, `width` at once. The first failure stops the rest, and is thrown when
 * all that was under way has ended.
 */
export async function* inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  caller: AbortSignal | undefined,
  task: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const stopper = new Stopper(caller);
  const running: Promise<R>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const first = async (): Promise<R> => {
    try {
      return await running.shift()!;
    } catch (error) {
      // Not what stopping made of the others.
      throw failure ? failure.error : error;
    }
  };
  try {
    for await (const item of items) {
      caller?.throwIfAborted();
      if (running.length >= width) yield await first();
      if (failure) throw failure.error;
      const next = task(item, stopper.signal);
      next.catch((error: unknown) => {
        failure ??= { error };
        stopper.stop();
      });
      running.push(next);
    }
    while (running.length > 0) yield await first();
  } finally {
    stopper.stop();
    await Promise.allSettled(running);
  }
}
