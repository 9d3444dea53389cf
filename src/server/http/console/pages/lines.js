// Lines as they come, however fast: a bounded number is kept, and they are drawn in batches.

import { fill } from "./dom.js";

/** How many lines are kept; the oldest go first. */
const KEPT_MAX = 2_000;

/** How many of them stand in the page at a time. */
const SHOWN_MAX = 500;

/** How much of a line is kept, in characters. */
const LENGTH_MAX = 4_000;

/** How long the next lines wait after the last ones were shown, in milliseconds: a flood costs ten looks a second and no more. */
const SHOW_EVERY = 100;

/** A text as a line has it: cut where it is long, which it says. */
export function cut(text) {
  return text.length <= LENGTH_MAX ? text : `${text.slice(0, LENGTH_MAX)}… (${text.length} characters)`;
}

/** @template Line */
export class Lines {
  #kept = [];
  /** Those that are not in the page yet. */
  #fresh = [];
  #dropped = 0;
  #isPlanned = false;
  #nextAt = 0;

  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} many says how many there are
   * @param {(line: Line) => HTMLElement} row
   * @param {(line: Line) => boolean} fits whether it is shown
   */
  constructor(place, many, row, fits = () => true) {
    Object.assign(this, { place, many, row, fits, isPaused: false });
  }

  add(line) {
    this.#kept.push(line);
    // Cut seldom, since cutting moves all that stay.
    if (this.#kept.length > KEPT_MAX * 2) this.#dropped += this.#kept.splice(0, this.#kept.length - KEPT_MAX).length;
    this.#fresh.push(line);
    if (this.#fresh.length > KEPT_MAX * 2) this.#fresh.splice(0, this.#fresh.length - KEPT_MAX);
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
    this.#kept = [];
    this.#dropped = 0;
    this.showAgain();
  }

  /** Shows what there is anew, as after a change of what fits. */
  showAgain() {
    fill(this.place);
    this.#fresh = [];
    this.#show(this.#kept.slice(-KEPT_MAX));
  }

  #show(lines) {
    const { place } = this;
    const shown = lines.filter(this.fits).slice(-SHOWN_MAX);
    const isAtEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
    const tooMany = place.childElementCount + shown.length - SHOWN_MAX;
    if (tooMany >= place.childElementCount) place.replaceChildren();
    else for (let at = 0; at < tooMany; at += 1) place.firstElementChild.remove();
    place.append(...shown.map(this.row));
    if (isAtEnd) place.scrollTop = place.scrollHeight;
    const all = this.#dropped + this.#kept.length;
    this.many.textContent = `${all} lines have come, the last ${Math.min(this.#kept.length, KEPT_MAX)} are kept, ${place.childElementCount} shown.`;
  }
}
