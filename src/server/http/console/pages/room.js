// One room: its modules, each with its statuses, its functions and its log.

import { el, fill } from "./dom.js";
import { functions } from "./functions.js";
import { logPane } from "./log.js";
import { get, list, word } from "./rest.js";
import { bind } from "./socket.js";
import { standing } from "./standing.js";
import { Statuses } from "./statuses.js";
import { called } from "./zones.js";

export async function open(place, [id], { left, user }) {
  const [room, modules, triggers] = await Promise.all([
    get(`systems/${word(id)}`),
    list(`modules?control_system_id=${word(id)}`),
    user.support ? list(`systems/${word(id)}/triggers`).catch(() => []) : [],
  ]);
  if (left.aborted) return;
  const about = [room.description, room.capacity && `${room.capacity} people`, room.email, room.timezone].filter(Boolean);
  const indexes = {};
  const cards = modules.map((module) => {
    const mod = module.custom_name || module.name;
    const index = (indexes[mod] = (indexes[mod] ?? 0) + 1);
    return moduleCard({ sys: id, mod, index, module }, left);
  });
  fill(
    place,
    el("p", {}, el("a", { href: "#/building" }, "← Building")),
    el("h1", { dir: "auto" }, called(room)),
    el("p.weak", { dir: "auto" }, about.join(" · ")),
    user.support && el("p", {}, el("a", { href: `#/edit/systems/${word(id)}` }, "Edit this room")),
    cards.length > 0 ? el("div.cards", {}, cards) : el("p", {}, "This room has no modules."),
    triggers.length > 0 && triggersCard(triggers, left),
  );
}

/** What the room does by itself. */
function triggersCard(triggers, left) {
  const line = (instance) => {
    const link = el("a", { href: `#/trigger/${word(instance.trigger_id)}`, dir: "auto" }, instance.name || instance.id);
    return el("li", { "data-trigger": instance.id }, link, " ", standing(instance, left));
  };
  return el("section.card", { "aria-label": "Triggers" }, el("h2", {}, "Triggers"), el("ul.entries", {}, triggers.map(line)));
}

/** @param {{sys: string, mod: string, index: number, module: object}} slot */
function moduleCard(slot, left) {
  const { sys, mod, index, module } = slot;
  const dot = el("span.dot", { role: "img", "aria-label": "not known" });
  const state = el("span.weak", {}, module.running ? "" : "not running");
  const statuses = new Statuses(slot, left);
  const unbind = bind(sys, mod, index, "connected", ({ value }) => {
    const tone = value === true ? "good" : value === false ? "bad" : "";
    dot.className = `dot ${tone}`;
    dot.setAttribute("aria-label", { good: "connected", bad: "not connected", "": "not known" }[tone]);
    if (tone) state.textContent = tone === "bad" ? "not connected" : "";
  });
  left.addEventListener("abort", unbind);
  return el(
    "section.card",
    { "data-module": `${mod}_${index}`, "aria-label": `${mod} ${index}` },
    el("h2", {}, dot, ` ${mod} ${index} `, state),
    el("p.weak.mono", {}, `${module.id} · ${module.driver?.name ?? module.driver_id}`),
    statuses.element,
    later("Functions", () => functions(slot, () => statuses.look())),
    later("Log", () => logPane(slot, left)),
  );
}

/** A part that is made when it is opened first. */
function later(name, make) {
  const inside = el("div");
  const part = el("details", { "data-part": name.toLowerCase() }, el("summary", {}, name), inside);
  part.addEventListener("toggle", () => {
    if (part.open && inside.childElementCount === 0) fill(inside, make());
  });
  return part;
}
