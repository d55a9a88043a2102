// Numbers as people read them. Pure; no I/O.

const kNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const kWhole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const kWhen = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** @param {number} bytes @returns {string} in powers of 1,024 */
export function formatBytes(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${(value >= 100 ? kWhole : kNumber).format(value)} ${units[unit]}`;
}

/** @param {number} ms @returns {string} */
export function formatMs(ms) {
  if (ms < 10) return `${kNumber.format(ms)} ms`;
  return ms < 1000 ? `${kWhole.format(ms)} ms` : `${kNumber.format(ms / 1000)} s`;
}

/** @param {number} count @param {string} one @param {string} [many] @returns {string} */
export function formatCount(count, one, many = `${one}s`) {
  return `${kWhole.format(count)} ${count === 1 ? one : many}`;
}

/** @param {number} time milliseconds since 1970 @returns {string} */
export function formatWhen(time) {
  return kWhen.format(time);
}

/** @param {string} id @returns {string} its two ends */
export function shortId(id) {
  return `${id.slice(0, 8)}…${id.slice(-8)}`;
}
