// The lists of what can be edited. One entry of a list is `entry.js`.

import { el, fill } from "./dom.js";
import { openEntry } from "./entry.js";
import { KINDS, idOf, nameOf } from "./kinds.js";
import { list, word } from "./rest.js";

/** How many entries are shown at a time; the search finds the others. */
const SHOWN_MAX = 500;

export async function open(place, [kind, id], context) {
  const chosen = Object.hasOwn(KINDS, kind ?? "") ? kind : "systems";
  if (chosen === kind && id) {
    await openEntry(place, kind, id, context);
    return;
  }
  const { many, one } = KINDS[chosen];
  const links = Object.entries(KINDS).map(([other, about]) =>
    el("a.chip", { href: `#/edit/${other}`, ...(other === chosen ? { "aria-current": "page" } : {}) }, about.many),
  );
  const search = el("input", { type: "search", autocomplete: "off" });
  const found = el("p.weak", { role: "status" });
  const rows = el("ul.entries");
  fill(
    place,
    el("h1", {}, "Edit"),
    el("nav.row", { "aria-label": "Kinds of entries" }, links),
    el("h2", {}, many),
    el("div.row", {}, el("label", {}, "Search", search), el("a.chip", { href: `#/edit/${chosen}/new` }, `New ${one}`)),
    found,
    rows,
  );
  const entries = (await list(chosen)).map((entry) => ({ entry, words: `${nameOf(entry)} ${idOf(entry)}`.toLowerCase() }));
  const show = () => {
    const text = search.value.toLowerCase();
    const fits = entries.filter(({ words }) => words.includes(text));
    fill(rows, fits.slice(0, SHOWN_MAX).map(({ entry }) => row(chosen, entry)));
    const cut = fits.length > SHOWN_MAX ? `, the first ${SHOWN_MAX} are shown` : "";
    found.textContent = `${fits.length} of ${entries.length}${cut}`;
  };
  search.addEventListener("input", show);
  show();
}

function row(kind, entry) {
  const link = el("a", { href: `#/edit/${kind}/${word(idOf(entry))}`, dir: "auto", title: nameOf(entry) }, nameOf(entry));
  return el("li", {}, link, " ", idOf(entry) !== nameOf(entry) && el("span.weak.mono", {}, idOf(entry)));
}
