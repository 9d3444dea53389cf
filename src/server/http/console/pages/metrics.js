// What the gateway measures, with a small chart each: counters by how many come in a second, all else as it is.

import { BASE } from "./base.js";
import { Chart } from "./chart.js";
import { el, fill } from "./dom.js";
import { parsed } from "./series.js";

const ASK_EVERY = 3_000;

/** How many series are shown; the search finds the others. */
const SHOWN_MAX = 200;

export async function open(place, _words, { left }) {
  const search = el("input", { type: "search", autocomplete: "off" });
  const problem = el("p.problem", { role: "alert" });
  const body = el("tbody");
  const head = el("tr", {}, ["Measure", "Value", "Last five minutes"].map((name) => el("th", { scope: "col" }, name)));
  fill(
    place,
    el("h1", {}, "Metrics"),
    el("label", {}, "Search", search),
    problem,
    el("div.wide.card", { tabIndex: 0, role: "region", "aria-label": "Metrics" }, el("table", {}, el("thead", {}, head), body)),
  );
  const board = new Board(body);
  const look = async () => {
    const answer = await fetch(`${BASE}metrics`, { signal: left }).catch(() => null);
    if (left.aborted) return;
    problem.textContent = told(answer);
    if (!answer?.ok) return;
    const text = await answer.text().catch(() => null);
    if (text === null || left.aborted) return;
    board.take(parsed(text), Date.now());
    board.narrow(search.value);
  };
  search.addEventListener("input", () => board.narrow(search.value));
  const timer = setInterval(look, ASK_EVERY);
  left.addEventListener("abort", () => clearInterval(timer));
  await look();
}

/** What is now stands before what has been, and each module by itself at the end. */
function rank({ name }) {
  if (name === "riser_module_connected") return 2;
  return name.endsWith("_total") ? 1 : 0;
}

function told(answer) {
  if (!answer) return "The gateway does not answer.";
  if (answer.status === 404) return "The metrics are not on this address: the setting health_listen gives them one of their own.";
  return answer.ok ? "" : `The gateway answers ${answer.status}.`;
}

/** All series as they were told last, and a row for each that was shown once. A building of a thousand modules has thousands. */
class Board {
  #known = [];
  #at = 0;
  #rows = new Map();

  constructor(body) {
    this.body = body;
  }

  take({ series, help }, at) {
    const named = series.map((one) => ({ ...one, key: one.name + one.labels, help: help.get(one.name) ?? "" }));
    this.#known = named.sort((one, other) => rank(one) - rank(other) || (one.key < other.key ? -1 : 1));
    this.#at = at;
  }

  /** Shows the first of those that have the text. */
  narrow(text) {
    const wanted = text.toLowerCase();
    const fit = this.#known.filter(({ key, help }) => `${key} ${help}`.toLowerCase().includes(wanted));
    const shown = new Set(fit.slice(0, SHOWN_MAX).map((one) => this.#row(one)));
    for (const row of this.#rows.values()) row.line.hidden = !shown.has(row);
  }

  #row(one) {
    let row = this.#rows.get(one.key);
    if (!row) {
      row = new Row(one);
      this.#rows.set(one.key, row);
      this.body.append(row.line);
    }
    row.take(one.value, this.#at);
    return row;
  }
}

/** A series with what is known of it. */
class Row {
  #last = null;

  constructor({ key, name, help }) {
    this.isCounter = name.endsWith("_total");
    this.chart = new Chart(key);
    this.shown = el("td.value");
    const title = el("th", { scope: "row" }, el("span.mono", {}, key), el("span.help", {}, help));
    this.line = el("tr", {}, title, this.shown, el("td", {}, this.chart.element));
  }

  take(value, at) {
    const last = this.#last;
    if (last?.at === at) return;
    this.#last = { value, at };
    const rate = last ? Math.max(((value - last.value) / (at - last.at)) * 1000, 0) : 0;
    this.shown.textContent = this.isCounter ? `${short(value)} · ${short(rate)} / s` : short(value);
    this.chart.add(this.isCounter ? rate : value, at);
  }
}

const short = (value) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));
