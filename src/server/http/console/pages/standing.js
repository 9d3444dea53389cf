// How a trigger stands, as it changes: whether its conditions hold, how often it fired, and what failed.

import { el, fill } from "./dom.js";
import { bind } from "./socket.js";

/** The module that has the triggers of a room, each by its id. */
export const TRIGGERS = "_TRIGGER_";

/** What a state has beside its conditions. */
const NOTHING = { triggered: false, trigger_count: 0, action_errors: 0, comparison_errors: 0, conditions: {} };

const counted = (many, one, more = `${one}s`) => `${many} ${many === 1 ? one : more}`;

/** Calls this with the state of a trigger, now and whenever it changes. */
export function followState({ control_system_id: room, id }, left, looker) {
  const unbind = bind(room, TRIGGERS, 1, id, ({ value, stale }) => looker({ ...NOTHING, ...value }, stale));
  left.addEventListener("abort", unbind);
}

/** The state in a few words, which follows it. */
export function standing(instance, left) {
  const place = el("span.live", {}, el("span.weak", {}, "not known"));
  followState(instance, left, (state, stale) => {
    place.classList.toggle("old", stale);
    fill(place, chips(state).map(([text, tone]) => el(`span.chip.${tone}`, { dir: "auto" }, text)));
  });
  return place;
}

function chips({ triggered, trigger_count: fired, action_errors: failed, comparison_errors: uncompared, error }) {
  return [
    triggered ? ["its conditions hold", "good"] : ["its conditions do not hold", "weak"],
    [`fired ${counted(fired, "time")}`, fired > 0 ? "good" : "weak"],
    failed > 0 && [counted(failed, "action error"), "bad"],
    uncompared > 0 && [counted(uncompared, "comparison error"), "bad"],
    error && [`the last firing failed: ${error}`, "bad"],
  ].filter(Boolean);
}
