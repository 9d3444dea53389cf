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
  const rows = new Map();
  const look = async () => {
    const answer = await fetch(`${BASE}metrics`, { signal: left }).catch(() => null);
    if (left.aborted) return;
    problem.textContent = told(answer);
    if (!answer?.ok) return;
    const text = await answer.text().catch(() => null);
    if (text === null || left.aborted) return;
    const { series, help } = parsed(text);
    const at = Date.now();
    series.sort((one, other) => rank(one) - rank(other) || (one.name + one.labels < other.name + other.labels ? -1 : 1));
    for (const one of series) take(rows, body, one, help, at);
    narrow(rows, search.value);
  };
  search.addEventListener("input", () => narrow(rows, search.value));
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

function take(rows, body, { name, labels, value }, help, at) {
  const key = name + labels;
  const isCounter = name.endsWith("_total");
  let row = rows.get(key);
  if (!row) {
    const chart = new Chart(key);
    const shown = el("td.value");
    const title = el("th", { scope: "row" }, el("span.mono", {}, key), el("span.help", {}, help.get(name) ?? ""));
    row = { chart, shown, last: null, words: `${key} ${help.get(name) ?? ""}`.toLowerCase(), line: el("tr", {}, title, shown, el("td", {}, chart.element)) };
    rows.set(key, row);
    body.append(row.line);
  }
  const rate = row.last ? ((value - row.last.value) / (at - row.last.at)) * 1000 : 0;
  row.last = { value, at };
  row.shown.textContent = isCounter ? `${short(value)} · ${short(Math.max(rate, 0))} / s` : short(value);
  row.chart.add(isCounter ? Math.max(rate, 0) : value, at);
}

function narrow(rows, text) {
  let many = 0;
  for (const { line, words } of rows.values()) {
    const fits = words.includes(text.toLowerCase());
    many += fits ? 1 : 0;
    line.hidden = !fits || many > SHOWN_MAX;
  }
}

const short = (value) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));
