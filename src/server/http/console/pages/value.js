// A value as people read it: JSON, cut where it is long, and always text.

import { button, el, fill } from "./dom.js";

/** How much of a value is shown at once. */
const SHOWN_MAX = 240;

/** The text of a value. */
export function textOf(value) {
  return value === undefined ? "" : JSON.stringify(value);
}

/** Shows a value in a place. */
export function showValue(place, value) {
  const text = textOf(value);
  if (text.length <= SHOWN_MAX) {
    // The common case leaves all else as it is.
    place.textContent = text;
    return;
  }
  const cut = `${text.slice(0, SHOWN_MAX)}…`;
  fill(place, cut, " ", button(`Show all (${size(text.length)})`, () => showWhole(text)));
}

/** A value in full, over the page. */
function showWhole(text) {
  const dialog = el("dialog", { "aria-label": "The whole value" });
  const pre = el("pre", { tabIndex: 0 });
  pre.textContent = text;
  fill(dialog, pre, button("Close", () => dialog.close(), { className: "main" }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function size(characters) {
  if (characters < 1_000) return `${characters} characters`;
  if (characters < 1_000_000) return `${Math.round(characters / 1_000)} kB`;
  return `${(characters / 1_000_000).toFixed(1)} MB`;
}
