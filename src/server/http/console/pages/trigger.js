// One trigger: how it stands, and its last firings with what each step did. It answers why the light went on.

import { BASE } from "./base.js";
import { OPERATORS } from "./conditions.js";
import { button, clock, el, fill } from "./dom.js";
import { nameOf } from "./kinds.js";
import { list, get, post, word } from "./rest.js";
import { onConnection } from "./socket.js";
import { TRIGGERS, followState, standing } from "./standing.js";
import { textOf } from "./value.js";

/** How often it is looked for firings, in milliseconds: the state tells of their beginning, and nothing of their end. */
const LOOK_EVERY = 3_000;

export async function open(place, [id], { left, user }) {
  const path = `triggers/${word(id)}`;
  const [trigger, [instance]] = await Promise.all([get(path), list(`${path}/instances`)]);
  if (left.aborted) return;
  fill(
    place,
    instance ? el("p", {}, el("a", { href: `#/room/${word(instance.control_system_id)}` }, "← Its room")) : null,
    el("h1", { dir: "auto" }, nameOf(trigger)),
    user.sys_admin && el("p", {}, el("a", { href: `#/edit/triggers/${word(id)}` }, "Edit this trigger")),
    instance ? inRoom(trigger, instance, left) : el("p", {}, "This trigger stands in no room, so how it fares is in the log of the gateway alone."),
  );
}

function inRoom(trigger, instance, left) {
  return [
    el("p", {}, standing(instance, left)),
    instance.webhook_secret ? webhook(instance) : null,
    el("h2", {}, "Conditions"),
    conditions(trigger, instance, left),
    el("h2", {}, "Last firings"),
    ...firings(instance, left),
  ];
}

/** The address that fires it, which has its secret. */
function webhook({ id, webhook_secret: secret }) {
  const address = new URL(`${BASE}hook/${word(id)}?secret=${word(secret)}`, location.href).href;
  const shown = el("p", {}, button("Show the address that fires it", () => fill(shown, el("span.mono.secret", {}, address))));
  return shown;
}

/** Which conditions hold. What a condition is called in the state says its place among those of its kind. */
function conditions(trigger, instance, left) {
  const place = el("ul.entries", {});
  followState(instance, left, ({ conditions: found }, stale) => {
    place.classList.toggle("old", stale);
    const lines = Object.entries(found).map(([key, holds]) => {
      const tone = holds ? "good" : "";
      const dot = el(`span.dot${tone && `.${tone}`}`, { role: "img", "aria-label": holds ? "holds" : "does not hold" });
      return el("li.live", {}, dot, " ", el("span", { dir: "auto" }, wordsOf(key, trigger)));
    });
    fill(place, lines);
  });
  return place;
}

function wordsOf(key, { shown_in_full: isWhole, conditions: { comparisons, time_dependents: times } }) {
  const [, kind, at] = /^([a-z]+)_(\d+)$/.exec(key) ?? [null, key, "0"];
  // Where some are not shown, those that are have other places.
  if (isWhole && kind === "comparison" && comparisons[at]) {
    const { left, operator, right } = comparisons[at];
    return `${left.mod} ${left.status} ${OPERATORS[operator]} ${textOf(right)}`;
  }
  if (isWhole && kind === "time" && times[at]) return times[at].cron ?? new Date(times[at].time * 1000).toLocaleString();
  return { webhook: "its address is called", comparison: `status ${Number(at) + 1}`, time: `time ${Number(at) + 1}`, event: `event ${Number(at) + 1}` }[kind] ?? key;
}

/** The last firings, which are asked for as long as the page is open. */
function firings(instance, left) {
  const rows = el("div", {});
  const note = el("p.weak", { role: "status" });
  /** What is shown, by what the gateway says of it: what stays so stays open, too. @type {Map<string, HTMLElement>} */
  let shown = new Map();
  let isAsking = false;
  const look = async () => {
    if (isAsking || left.aborted || document.hidden) return;
    isAsking = true;
    try {
      const found = await post(`systems/${word(instance.control_system_id)}/${word(`${TRIGGERS}_1`)}/history`, [instance.id]);
      if (left.aborted) return;
      const next = named(found).map(([name, fired]) => [name, shown.get(name) ?? firing(fired)]);
      shown = new Map(next);
      arrange(rows, [...shown.values()]);
      note.textContent = found.length === 0 ? "It has not fired since the gateway started, or since it was taken over." : "";
    } catch (error) {
      note.textContent = `The firings cannot be read: ${error.message}`;
    } finally {
      isAsking = false;
    }
  };
  const timer = setInterval(look, LOOK_EVERY);
  left.addEventListener("abort", () => clearInterval(timer));
  left.addEventListener("abort", onConnection(({ isOpen }) => isOpen && look()));
  followState(instance, left, look);
  look();
  return [note, rows];
}

/** Has a place show these rows in this order. Those that stay are left where they are, since what is moved loses the focus. */
function arrange(place, rows) {
  const wanted = new Set(rows);
  for (const old of [...place.children]) if (!wanted.has(old)) old.remove();
  rows.forEach((row, at) => place.children[at] === row || place.insertBefore(row, place.children[at] ?? null));
}

/** Each firing with a name of its own, also where two are alike. */
function named(found) {
  const many = new Map();
  // The oldest of those that are alike is the first, so that a new one changes the name of none.
  const names = found.toReversed().map((fired) => {
    const text = JSON.stringify(fired);
    many.set(text, (many.get(text) ?? 0) + 1);
    return `${many.get(text)} ${text}`;
  });
  return names.toReversed().map((name, at) => [name, found[at]]);
}

function firing({ time, why, took, failure, steps, steps_left_out: leftOut }) {
  const when = new Date(time * 1000);
  const day = when.toDateString() === new Date().toDateString() ? "" : `${when.toLocaleDateString()} `;
  const outcome = failure ? el("span.chip.bad", { dir: "auto" }, failure) : el("span.chip.good", {}, "done");
  const head = el("summary", {}, `${day}${clock(when)} `, el("span", { dir: "auto" }, why), " ", outcome, el("span.weak", {}, ` ${took} ms`));
  return el(
    "details.card",
    { "data-part": "firing" },
    head,
    steps.length > 0 ? stepTable(steps) : el("p.weak", {}, "It did no step."),
    leftOut > 0 ? el("p.weak", {}, `${leftOut} more steps were not kept.`) : null,
  );
}

function stepTable(steps) {
  const heads = ["Step", "What it did", "Began after", "Took", "Outcome"];
  const rows = steps.map(({ step, what, began, ended, failure }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, step),
      el("td.mono", { dir: "auto" }, what),
      el("td", {}, `${began} ms`),
      el("td", {}, `${ended - began} ms`),
      failure ? el("td.bad", { dir: "auto" }, failure) : el("td.good", {}, "done"),
    ),
  );
  const head = el("tr", {}, heads.map((name) => el("th", { scope: "col" }, name)));
  return el("div.wide", { tabIndex: 0, role: "region", "aria-label": "Steps" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows)));
}
