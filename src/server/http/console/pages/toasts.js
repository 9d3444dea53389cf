// Short words on what has just happened. They go by themselves, errors later than the rest.

import { button, el } from "./dom.js";

const SHOWN = { good: 5_000, bad: 15_000 };

/** How many stand there at most; the oldest goes first. */
const MOST = 4;

function show(kind, text) {
  const place = document.getElementById("toasts");
  const toast = el(`p.toast.${kind}`, { dir: "auto" }, text);
  toast.append(button("×", () => toast.remove(), { "aria-label": "Dismiss" }));
  while (place.children.length >= MOST) place.firstElementChild.remove();
  place.append(toast);
  setTimeout(() => toast.remove(), SHOWN[kind]);
}

/** Says that something has worked. */
export const good = (text) => show("good", text);

/** Says what has failed. */
export const bad = (text) => show("bad", text);
