// The functions of a module as forms, made of what the module says of them, and what they give as it comes.

import { el, fill, fresh } from "./dom.js";
import { get, word } from "./rest.js";
import { field } from "./arguments.js";
import { exec } from "./socket.js";
import { showValue } from "./value.js";

/**
 * @param {{sys: string, mod: string, index: number}} slot
 * @param {() => void} called after each call, which may have made new statuses
 */
export function functions(slot, called) {
  const place = el("div", {}, el("p.weak", {}, "…"));
  const { sys, mod, index } = slot;
  get(`systems/${word(sys)}/functions/${word(`${mod}_${index}`)}`).then(
    (found) => {
      const forms = Object.entries(found).sort(([one], [other]) => (one < other ? -1 : 1));
      fill(place, forms.length > 0 ? forms.map(([name, about]) => form(slot, name, about, called)) : "It has no functions for you.");
    },
    (error) => fill(place, el("p.problem", { role: "alert" }, error.message)),
  );
  return place;
}

function form(slot, name, { order, params, description }, called) {
  const fields = order.map((parameter) => field(parameter, params[parameter] ?? {}));
  const outcome = el("output", { id: fresh("outcome") });
  const send = el("button.main", { type: "submit" }, `Call ${name}`);
  const onsubmit = async (event) => {
    event.preventDefault();
    const args = taken(fields);
    if (!args) return;
    send.disabled = true;
    fill(outcome, "…");
    const begun = performance.now();
    const { sys, mod, index } = slot;
    try {
      const value = await exec(sys, mod, index, name, args);
      const took = `${Math.round(performance.now() - begun)} ms: `;
      const given = el("span.value", { dir: "auto" });
      showValue(given, value);
      fill(outcome, el("span.good", {}, took), given);
    } catch (error) {
      fill(outcome, el("span.problem", { dir: "auto" }, error.message));
    }
    send.disabled = false;
    called();
  };
  const made = el(
    "form",
    { onsubmit, noValidate: true, "data-function": name },
    description && el("p.help", {}, description),
    el("div.fields", {}, fields.map((one) => one.element)),
    el("div.row", {}, send, outcome),
  );
  return el("details.function", {}, el("summary.mono", {}, `${name}(${order.join(", ")})`), made);
}

/** The arguments in their order; `null` where one is wrong, which is said beside it. */
function taken(fields) {
  const read = fields.map((one) => one.read());
  const wrong = read.findIndex((one) => one.problem);
  if (wrong >= 0) {
    fields[wrong].focus();
    return null;
  }
  // What is left out at the end is the module's to fill in.
  while (read.length > 0 && read.at(-1).isLeftOut) read.pop();
  return read.map(({ value }) => value);
}
