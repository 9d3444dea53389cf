// The building: zones and rooms as a tree, each room with what is on, occupied, booked and broken in it.

import { el, fill } from "./dom.js";
import { Glance } from "./glance.js";
import { list, word } from "./rest.js";
import { called, count, grown } from "./zones.js";

/** How far outside of the window a room is looked at already. */
const MARGIN = "200px";

/** @typedef {{room: object, line: HTMLElement, words: string}} Line */

export async function open(place, _words, { left }) {
  const search = el("input", { type: "search", id: "search", autocomplete: "off" });
  const found = el("p.weak", { role: "status" });
  const tree = el("div.tree");
  fill(place, el("h1", {}, "Building"), el("label", {}, "Search rooms and zones", search), found, tree);
  const [zones, rooms] = await Promise.all([visibleZones(), list("systems")]);
  const lines = [];
  const seen = watched(left);
  const names = new Map(zones.map((zone) => [zone.id, called(zone)]));
  const line = (room) => {
    const made = roomLine(room);
    const inZones = room.zones.map((id) => names.get(id) ?? "");
    const words = [called(room), room.name, room.id, room.email ?? "", ...room.features, ...inZones];
    lines.push({ room, line: made.line, words: words.join(" ").toLowerCase() });
    seen.observe(made.line, made.glance);
    return made.line;
  };
  const branches = grown(zones, rooms).map((zone) => branch(zone, line));
  fill(tree, el("ul", {}, branches));
  const look = () => narrow(lines, tree, search.value, found);
  search.addEventListener("input", look);
  look();
}

/** The zones, which not everybody may list. */
async function visibleZones() {
  try {
    return await list("zones");
  } catch (error) {
    if (error.status === 403) return [];
    throw error;
  }
}

function branch(zone, line) {
  const many = count(zone);
  const summary = el("summary", {}, el("span", { dir: "auto" }, zone.name), el("span.weak", {}, ` ${many} ${many === 1 ? "room" : "rooms"}`));
  const rooms = zone.rooms.map((room) => el("li", {}, line(room)));
  const zones = zone.zones.map((inner) => branch(inner, line));
  return el("li", {}, el("details", { open: true }, summary, el("ul", {}, rooms, zones)));
}

function roomLine(room) {
  const glance = new Glance(room);
  const name = el("a", { href: `#/room/${word(room.id)}`, dir: "auto", title: called(room) }, called(room));
  return { glance, line: el("div.roomline", { "data-room": room.id }, glance.dot, name, glance.chips) };
}

/** Looks at the rooms that can be seen, and at no other. */
function watched(left) {
  const glances = new Map();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const glance = glances.get(target);
        if (isIntersecting) glance.begin();
        else glance.end();
      }
    },
    { rootMargin: MARGIN },
  );
  left.addEventListener("abort", () => {
    observer.disconnect();
    for (const glance of glances.values()) glance.end();
  });
  return {
    observe(line, glance) {
      glances.set(line, glance);
      observer.observe(line);
    },
  };
}

/** Leaves the rooms in which all words stand, and the zones that have one of them. */
function narrow(lines, tree, text, found) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let many = 0;
  for (const { line, words: known } of lines) {
    const fits = words.every((one) => known.includes(one));
    line.parentElement.hidden = !fits;
    many += fits ? 1 : 0;
  }
  for (const zone of tree.querySelectorAll("details")) {
    const has = zone.querySelector("li:not([hidden]) > .roomline");
    zone.parentElement.hidden = words.length > 0 && !has;
  }
  found.textContent = words.length > 0 ? `${many} of ${lines.length} rooms` : `${lines.length} rooms`;
}
