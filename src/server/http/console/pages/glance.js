// One room at a glance: a dot for what is broken, and words for what is on, occupied and booked.

import { el, fill } from "./dom.js";
import { get, word } from "./rest.js";
import { bind } from "./socket.js";
import { places } from "./zones.js";

/** Modules of a room past this are not looked at here; its own page has them all. */
const MODULES_MAX = 24;

/** What is never switched on or off. */
const WITHOUT_POWER = new Set(["Bookings", "Sensor", "PeopleCount", "AirQuality", "State"]);

/** What knows nothing of people. */
const WITHOUT_PEOPLE = new Set(["Display", "Lighting", "State"]);

const BOOKED = { busy: ["in a meeting", "warn"], pending: ["check-in awaited", "warn"], free: ["free", "weak"] };

/** It looks between `begin` and `end`, which come as often as the room comes into sight and leaves it. */
export class Glance {
  #room;
  #types = null;
  #bindings = [];
  #turn = 0;
  /** What is known, as status → place → value. */
  #known = {};
  #isStale = false;
  /** What the chips say. */
  #shown = null;

  constructor(room) {
    this.#room = room;
    this.dot = el("span.dot", { role: "img", "aria-label": "not known" });
    this.chips = el("span.live", {});
    this.#show();
  }

  /** Looks from now on. */
  async begin() {
    const turn = (this.#turn += 1);
    try {
      this.#types ??= await get(`systems/${word(this.#room.id)}/types`);
    } catch {
      return;
    }
    if (turn !== this.#turn || this.#bindings.length > 0) return;
    for (const { mod, index } of places(this.#types).slice(0, MODULES_MAX)) {
      for (const name of asked(mod)) {
        const looker = (watch) => {
          this.#known[name] ??= {};
          this.#known[name][`${mod} ${index}`] = watch.value;
          this.#isStale = watch.stale;
          this.#show();
        };
        this.#bindings.push(bind(this.#room.id, mod, index, name, looker));
      }
    }
  }

  /** Looks no longer. */
  end() {
    this.#turn += 1;
    for (const unbind of this.#bindings) unbind();
    this.#bindings = [];
  }

  #all(name) {
    return Object.entries(this.#known[name] ?? {}).filter(([, value]) => value !== undefined);
  }

  #show() {
    const broken = this.#all("connected").filter(([, value]) => value === false);
    const isKnown = this.#all("connected").length > 0;
    const state = broken.length > 0 ? "bad" : isKnown ? "good" : "";
    this.dot.className = `dot ${state}`;
    this.dot.setAttribute("aria-label", { bad: "broken", good: "works", "": "not known" }[state]);
    const isTrue = (name) => this.#all(name).some(([, value]) => value === true);
    const [booked, tone] = BOOKED[this.#all("status")[0]?.[1]] ?? [];
    this.chips.classList.toggle("old", this.#isStale);
    const chips = [
      broken.length > 0 && [`broken: ${broken.map(([at]) => at).join(", ")}`, "bad"],
      isTrue("power") && ["on", "good"],
      (isTrue("presence") || isTrue("occupied")) && ["occupied", "good"],
      booked && [booked, tone],
    ].filter(Boolean);
    // Most changes change nothing that is seen here.
    const words = chips.join();
    if (words === this.#shown) return;
    this.#shown = words;
    fill(this.chips, chips.map(([text, mood]) => el(`span.chip.${mood}`, {}, text)));
  }
}

function asked(mod) {
  return [
    "connected",
    ...(WITHOUT_POWER.has(mod) ? [] : ["power"]),
    ...(WITHOUT_PEOPLE.has(mod) ? [] : ["presence", "occupied"]),
    ...(mod === "Bookings" ? ["status"] : []),
  ];
}
