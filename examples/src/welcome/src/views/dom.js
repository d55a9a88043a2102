// Builds elements. Text goes in as text only: there is no way to markup from a string here.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown>} [props] `class`, `data-*`, `aria-*` and the like are attributes;
 *   `on…` functions are listeners; false, null and undefined are left out
 * @param {...(Node | string | null | false)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

/**
 * @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T}
 * @throws {Error} when the page has no such element: page and script are not of one build
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} named ${id}`);
  return element;
}

/** @param {string} text is spoken by screen readers */
export function announce(text) {
  byId("announce", HTMLElement).textContent = text;
}
