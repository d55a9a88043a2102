// Where files come in: dropped anywhere on the page, chosen, or the sample.

import { sampleFile } from "../sample.js";
import { byId } from "./dom.js";

/** @param {(files: File[]) => void} onFiles */
export function startDropZone(onFiles) {
  const zone = byId("drop", HTMLElement);
  const pick = byId("pick", HTMLInputElement);
  zone.hidden = false;
  pick.addEventListener("change", () => {
    onFiles([...(pick.files ?? [])]);
    // So that the same file can be chosen again.
    pick.value = "";
  });
  byId("sample", HTMLButtonElement).addEventListener("click", () => onFiles([sampleFile()]));

  let depth = 0;
  const light = (/** @type {number} */ change) => {
    depth = Math.max(0, depth + change);
    zone.toggleAttribute("data-over", depth > 0);
  };
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragenter", (event) => hasFiles(event) && light(1));
  window.addEventListener("dragleave", (event) => hasFiles(event) && light(-1));
  window.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    light(-depth);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
}
