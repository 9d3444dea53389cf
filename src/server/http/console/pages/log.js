// The log of a module as it comes: bounded, and shown once per frame, however fast lines are.

import { button, clock, el, fill } from "./dom.js";
import { follow } from "./socket.js";

/** How many lines are kept; the oldest go first. */
const LINES_MAX = 2_000;

/** How many of them stand in the page at a time. */
const SHOWN_MAX = 500;

/** How long the next lines wait after the last ones were shown, in milliseconds: a flood costs ten looks a second and no more. */
const SHOW_EVERY = 100;

const LEVELS = ["trace", "debug", "info", "notice", "warn", "error", "fatal"];
const TONES = { trace: "weak", debug: "weak", warn: "warn", warning: "warn", error: "bad", fatal: "bad" };

export function logPane({ sys, mod, index, module }, left) {
  const label = `Log of ${mod} ${index}`;
  const lines = el("div.log", { role: "log", "aria-label": label, "aria-live": "off", tabIndex: 0 });
  const level = el("select", {}, LEVELS.map((name) => el("option", {}, name)));
  const text = el("input", { type: "search", autocomplete: "off" });
  const many = el("p.weak", { role: "status" });
  const pane = new Pane(lines, many, () => ({ least: LEVELS.indexOf(level.value), text: text.value.toLowerCase() }));
  for (const input of [level, text]) input.addEventListener("input", () => pane.showAgain());
  const pause = button("Pause", () => {
    pane.isPaused = !pane.isPaused;
    pause.textContent = pane.isPaused ? "Go on" : "Pause";
    pane.showAgain();
  });
  const refused = (why) => {
    many.textContent = `The log cannot be followed: ${why}`;
  };
  const stop = follow(sys, module.id, (line) => pane.add(line), refused);
  left.addEventListener("abort", stop);
  return [
    el("div.row", {}, el("label", {}, "From level", level), el("label", {}, "With the text", text), pause, button("Clear", () => pane.clear())),
    lines,
    many,
  ];
}

class Pane {
  #lines = [];
  /** Those that are not in the page yet. */
  #fresh = [];
  #dropped = 0;
  #isPlanned = false;
  #nextAt = 0;

  constructor(place, many, filter) {
    Object.assign(this, { place, many, filter, isPaused: false });
    this.many.textContent = "Lines show as they come.";
  }

  add({ level, msg }) {
    const line = { at: Date.now(), level: String(level), msg: String(msg) };
    this.#lines.push(line);
    // Cut seldom, since cutting moves all that stay.
    if (this.#lines.length > LINES_MAX * 2) this.#dropped += this.#lines.splice(0, this.#lines.length - LINES_MAX).length;
    this.#fresh.push(line);
    if (this.#fresh.length > LINES_MAX * 2) this.#fresh.splice(0, this.#fresh.length - LINES_MAX);
    if (this.#isPlanned || this.isPaused) return;
    this.#isPlanned = true;
    setTimeout(() => requestAnimationFrame(() => this.#showFresh()), Math.max(0, this.#nextAt - performance.now()));
  }

  #showFresh() {
    this.#isPlanned = false;
    this.#nextAt = performance.now() + SHOW_EVERY;
    if (!this.isPaused) this.#show(this.#fresh.splice(0));
  }

  clear() {
    this.#lines = [];
    this.#dropped = 0;
    this.showAgain();
  }

  /** Shows what there is anew, as after a change of the filter. */
  showAgain() {
    fill(this.place);
    this.#fresh = [];
    this.#show(this.#lines.slice(-LINES_MAX));
  }

  #show(lines) {
    const { least, text } = this.filter();
    const fits = ({ level, msg }) => levelOf(level) >= least && (text === "" || msg.toLowerCase().includes(text));
    const shown = lines.filter(fits).slice(-SHOWN_MAX);
    const { place } = this;
    const isAtEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
    const tooMany = place.childElementCount + shown.length - SHOWN_MAX;
    if (tooMany >= place.childElementCount) place.replaceChildren();
    else for (let at = 0; at < tooMany; at += 1) place.firstElementChild.remove();
    place.append(...shown.map(row));
    if (isAtEnd) place.scrollTop = place.scrollHeight;
    const all = this.#dropped + this.#lines.length;
    this.many.textContent = `${all} lines have come, the last ${Math.min(this.#lines.length, LINES_MAX)} are kept, ${place.childElementCount} shown.`;
  }
}

/** A level that is not known is shown with the most important ones. */
function levelOf(level) {
  const at = LEVELS.indexOf(level === "warning" ? "warn" : level);
  return at < 0 ? LEVELS.length : at;
}

function row({ at, level, msg }) {
  return el("p", { className: TONES[level] ?? "" }, `${clock(at)} ${level} ${msg}`);
}
