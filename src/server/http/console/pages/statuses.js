// The statuses of one module as they change. A change glows, and a number has a chart.

import { Chart } from "./chart.js";
import { clock, el } from "./dom.js";
import { get, word } from "./rest.js";
import { bind, connection, onConnection } from "./socket.js";
import { showValue, textOf } from "./value.js";

/** How often it is looked whether the module has a status that it did not have, in milliseconds. */
const LOOK_EVERY = 10_000;

/** How many statuses are shown of one module. */
const STATUSES_MAX = 500;

export class Statuses {
  #slot;
  #left;
  /** The names that have a row. */
  #rows = new Set();
  #body = el("tbody");
  #note = el("p.weak", {}, "No statuses yet.");

  constructor(slot, left) {
    this.#slot = slot;
    this.#left = left;
    const head = el("tr", {}, ["Status", "Value", "Last five minutes"].map((name) => el("th", { scope: "col" }, name)));
    const table = el("table", {}, el("thead", {}, head), this.#body);
    this.element = el("div.wide", { tabIndex: 0, role: "region", "aria-label": `Statuses of ${slot.mod} ${slot.index}` }, table, this.#note);
    const timer = setInterval(() => this.look(), LOOK_EVERY);
    left.addEventListener("abort", () => clearInterval(timer));
    const again = onConnection(({ isOpen }) => isOpen && this.look());
    left.addEventListener("abort", again);
    this.look();
  }

  /** Gives every status a row that has none yet. */
  async look() {
    const { sys, mod, index } = this.#slot;
    if (this.#left.aborted || !(connection.isOpen || this.#rows.size === 0)) return;
    try {
      const found = await get(`systems/${word(sys)}/${word(`${mod}_${index}`)}`);
      if (this.#left.aborted) return;
      for (const name of Object.keys(found).sort()) this.#add(name);
    } catch (error) {
      this.#note.textContent = `The statuses cannot be read: ${error.message}`;
    }
  }

  #add(name) {
    if (this.#rows.has(name) || this.#rows.size >= STATUSES_MAX) return;
    this.#rows.add(name);
    this.#note.textContent = this.#rows.size < STATUSES_MAX ? "" : `Only the first ${STATUSES_MAX} statuses are shown.`;
    const value = el("td.value.live", { dir: "auto" });
    const charted = el("td");
    const row = el("tr", { "data-status": name }, el("th", { scope: "row" }, name), value, charted);
    const after = [...this.#body.children].find((other) => other.dataset.status > name);
    this.#body.insertBefore(row, after ?? null);
    this.#follow(name, value, charted);
  }

  #follow(name, place, charted) {
    const { sys, mod, index } = this.#slot;
    let chart = null;
    let shown = null;
    const looker = ({ value, stale, at }) => {
      place.classList.toggle("old", stale);
      const text = textOf(value);
      if (text !== shown) {
        if (shown !== null) glow(place);
        shown = text;
        showValue(place, value);
        place.title = at ? `since ${clock(at)}` : "";
      }
      if (typeof value !== "number" || stale) return;
      if (!chart) {
        chart = new Chart(name);
        charted.append(chart.element);
        const timer = setInterval(() => chart.draw(), 5_000);
        this.#left.addEventListener("abort", () => clearInterval(timer));
      }
      chart.add(value);
    };
    this.#left.addEventListener("abort", bind(sys, mod, index, name, looker));
  }
}

/** Starts the glow from its beginning. */
function glow(place) {
  place.classList.remove("glows");
  requestAnimationFrame(() => place.classList.add("glows"));
}
