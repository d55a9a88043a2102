// Waiting: pauses, the back-off between attempts, and Retry-After.

/** Resolves after `ms`. @throws the signal's reason when it is aborted */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener("abort", stopped);
      resolve();
    }
    function stopped(): void {
      clearTimeout(timer);
      reject(signal!.reason);
    }
    if (signal?.aborted) stopped();
    else signal?.addEventListener("abort", stopped, { once: true });
  });
}

/**
 * @param attempt 1 after the first that failed
 * @returns ms: 250 doubled each time, up to 16 s, and up to half as much again by chance
 */
export function backOffMs(attempt: number): number {
  return 250 * 2 ** Math.min(attempt - 1, 6) * (1 + Math.random() / 2);
}

/**
 * @param value a Retry-After field
 * @param now ms since 1970
 * @returns ms, or `undefined` where the field says nothing
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
