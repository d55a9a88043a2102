// Bytes made visible: as a field of dots, as a hex dump, and as a figure of how random they are.

import { entropyBits, toHex } from "../bytes.js";
import { kHeaderParts } from "../seal.js";
import { h } from "./dom.js";

const kDumpBytes = 96;
const kRowBytes = 8;

/**
 * Draws three bytes a pixel, top left to bottom right, as an uncompressed picture would be.
 * @param {Uint8Array} bytes @param {string} label @returns {HTMLCanvasElement}
 */
export function dotField(bytes, label) {
  const pixels = Math.min(Math.floor(bytes.length / 3), 288 * 192);
  const width = pixels >= 288 * 192 ? 288 : Math.max(12, Math.round(Math.sqrt(pixels * 1.5)));
  const height = Math.max(1, Math.ceil(pixels / width));
  const canvas = h("canvas", { class: "dots", width, height, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const image = context.createImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    image.data.set([bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2], 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** @param {number} at @returns {string} the part of a sealed block that byte belongs to */
function partAt(at) {
  return kHeaderParts.find(({ to }) => at < to)?.name ?? "ciphertext";
}

/** @param {Uint8Array} row @param {(at: number) => string} part @param {number} from */
function hexOfRow(row, part, from) {
  const cells = [];
  for (let i = 0; i < row.length;) {
    const name = part(from + i);
    let end = i;
    while (end < row.length && part(from + end) === name) end++;
    const text = (toHex(row.subarray(i, end)).match(/../g) ?? []).join(" ");
    cells.push(
      h("span", { class: "hex-part", "data-part": name }, text),
      end < row.length ? " " : "",
    );
    i = end;
  }
  return cells;
}

/**
 * @param {Uint8Array} bytes @param {{ sealed: boolean, label: string }} options sealed: mark the
 *   parts of the head
 * @returns {HTMLElement}
 */
export function hexDump(bytes, { sealed, label }) {
  const shown = bytes.subarray(0, kDumpBytes);
  const dump = h("pre", { class: "hex", tabindex: "0", "aria-label": label });
  for (let from = 0; from < shown.length; from += kRowBytes) {
    const row = shown.subarray(from, from + kRowBytes);
    const ascii = Array.from(row, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join(
      "",
    );
    const gap = "   ".repeat(kRowBytes - row.length);
    dump.append(
      h("span", { class: "hex-at" }, from.toString(16).padStart(4, "0")),
      "  ",
      ...hexOfRow(row, sealed ? partAt : () => "plain", from),
      `${gap}  `,
      h("span", { class: "hex-ascii" }, ascii),
      "\n",
    );
  }
  if (bytes.length === 0) dump.append("(no bytes)");
  return dump;
}

/** @returns {HTMLElement} what the colours of a sealed block's dump mean */
export function hexLegend() {
  const names = [...kHeaderParts.map(({ name }) => name), "ciphertext"];
  return h(
    "ul",
    { class: "legend" },
    ...names.map((name) => h("li", {}, h("span", { class: "hex-part", "data-part": name }, name))),
  );
}

/** @param {Uint8Array} bytes @param {string} label @returns {HTMLElement} */
export function entropyMeter(bytes, label) {
  const bits = entropyBits(bytes);
  return h(
    "div",
    { class: "entropy" },
    h("meter", { min: "0", max: "8", value: bits.toFixed(3), "aria-label": label }),
    h("span", {}, h("strong", {}, bits.toFixed(2)), " of 8 bits of randomness a byte"),
  );
}
