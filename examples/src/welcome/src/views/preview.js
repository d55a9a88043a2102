// Shows an opened file. Images are drawn onto a canvas, because a strict content security policy
// allows no image from memory; nothing of a file ever becomes markup.

import { h } from "./dom.js";

const kMaxPreviewBytes = 32 * 1024 * 1024;
const kMaxTextBytes = 64 * 1024;
const kMaxSide = 1200;
const kImageTypes = /^image\/(png|jpeg|gif|webp|avif|bmp|x-ms-bmp)$/;
const kTextTypes = /^(text\/|application\/(json|xml|javascript|toml|yaml|x-sh))|\+(json|xml)$/;

/** @param {Blob} blob @param {string} name @returns {Promise<HTMLElement | null>} */
async function imagePreview(blob, name) {
  let image;
  try {
    image = await createImageBitmap(blob);
  } catch {
    return null;
  }
  const scale = Math.min(1, kMaxSide / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const canvas = h("canvas", {
    class: "preview-image",
    width,
    height,
    role: "img",
    "aria-label": name,
  });
  canvas.getContext("2d")?.drawImage(image, 0, 0, width, height);
  image.close();
  return canvas;
}

/** @param {Blob} blob @returns {Promise<string | null>} null when it is not text */
async function textOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, kMaxTextBytes).arrayBuffer());
  if (bytes.length === 0 || bytes.includes(0)) return null;
  try {
    // "stream": a character may be cut at the end of what is shown.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

/** @param {Blob} blob @param {string} name @returns {Promise<HTMLElement>} */
export async function previewOf(blob, name) {
  if (kImageTypes.test(blob.type) && blob.size <= kMaxPreviewBytes) {
    const image = await imagePreview(blob, name);
    if (image) return image;
  }
  if (blob.type === "" || kTextTypes.test(blob.type)) {
    const text = await textOf(blob);
    if (text !== null) {
      const cut = blob.size > kMaxTextBytes ? "\n…" : "";
      return h(
        "pre",
        { class: "preview-text", tabindex: "0", "aria-label": `Text of ${name}` },
        text + cut,
      );
    }
  }
  const why = blob.size === 0 ? "This file is empty." : "No preview for this kind of file.";
  return h("p", { class: "preview-none" }, why);
}
