// The two dialogs: a link to share, and the question before a key is forgotten.

import { byId } from "./dom.js";

/** @param {string} name @param {string} link */
export function showShareDialog(name, link) {
  const dialog = byId("share", HTMLDialogElement);
  const field = byId("share-link", HTMLInputElement);
  const said = byId("share-said", HTMLElement);
  byId("share-name", HTMLElement).textContent = name;
  said.textContent = "";
  field.value = link;
  byId("share-close", HTMLButtonElement).onclick = () => dialog.close();
  byId("share-copy", HTMLButtonElement).onclick = async () => {
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "Copied";
    } catch {
      field.select();
      said.textContent = "Selected: copy it with your keyboard";
    }
  };
  dialog.showModal();
  field.select();
}

/** @param {string} name @returns {Promise<boolean>} whether to forget it */
export function askToForget(name) {
  const dialog = byId("forget", HTMLDialogElement);
  byId("forget-name", HTMLElement).textContent = name;
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    byId("forget-no", HTMLButtonElement).onclick = () => dialog.close("no");
    byId("forget-yes", HTMLButtonElement).onclick = () => dialog.close("yes");
    dialog.showModal();
  });
}
