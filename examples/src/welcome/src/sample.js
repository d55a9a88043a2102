// A picture for a visitor with no file at hand: stones stacked before an evening sky, as an
// uncompressed bitmap. Uncompressed on purpose: its bytes look like the picture, so the difference
// to the sealed block can be seen. Pure; no I/O.

const kWidth = 288;
const kHeight = 192;
const kStones = [
  { x: 144, y: 160, rx: 66, ry: 17, shade: [74, 84, 92] },
  { x: 150, y: 131, rx: 49, ry: 14, shade: [98, 108, 115] },
  { x: 139, y: 107, rx: 37, ry: 12, shade: [84, 93, 101] },
  { x: 147, y: 86, rx: 26, ry: 10, shade: [116, 124, 129] },
  { x: 143, y: 69, rx: 16, ry: 8, shade: [136, 142, 144] },
];

/** @param {number[]} from @param {number[]} to @param {number} t 0 to 1 */
function mix(from, to, t) {
  return from.map((channel, i) => channel + (to[i] - channel) * t);
}

/** @param {number} x @param {number} y @returns {number[]} red, green, blue */
function backdropAt(x, y) {
  const ridge = 150 - 14 * Math.sin(x / 47) - 7 * Math.sin(x / 17 + 2);
  if (y > 166) return mix([52, 61, 68], [38, 46, 52], (y - 166) / (kHeight - 166));
  if (y > ridge) return mix([92, 96, 120], [70, 76, 98], (y - ridge) / 40);
  if (Math.hypot(x - 222, y - 58) < 19) return [255, 238, 205];
  return mix([58, 86, 132], [246, 178, 132], Math.min(1, y / 140));
}

/** @param {number} x @param {number} y @returns {number[]} red, green, blue */
function pixelAt(x, y) {
  for (const stone of kStones) {
    const dx = (x - stone.x) / stone.rx;
    const dy = (y - stone.y) / stone.ry;
    if (dx ** 4 + dy * dy < 1)
      return mix(stone.shade, [255, 214, 178], 0.34 * (dx - dy + 0.4) ** 2);
  }
  return backdropAt(x, y);
}

/** @returns {Uint8Array<ArrayBuffer>} a 24-bit Windows bitmap */
export function sampleBitmap() {
  const rowBytes = kWidth * 3;
  const bytes = new Uint8Array(54 + rowBytes * kHeight);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, kWidth, true);
  view.setInt32(22, kHeight, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < kHeight; y++) {
    for (let x = 0; x < kWidth; x++) {
      const [red, green, blue] = pixelAt(x, kHeight - 1 - y);
      bytes.set(
        [blue, green, red].map((c) => Math.max(0, Math.min(255, c))),
        54 + y * rowBytes + x * 3,
      );
    }
  }
  return bytes;
}

/** @returns {File} */
export function sampleFile() {
  return new File([sampleBitmap()], "cairn-at-dusk.bmp", { type: "image/bmp" });
}
