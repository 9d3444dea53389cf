// What the services have sent about rooms, and the modules that do not work.

import { el, fill } from "./dom.js";
import { list, word } from "./rest.js";
import { bind } from "./socket.js";
import { called } from "./zones.js";

/** The module that tells of a room's services. */
const ALERTS = "_ALERTS_";

/** How often it is looked which modules work. */
const LOOK_EVERY = 15_000;

export async function open(place, _words, { left }) {
  const messages = el("ul.entries");
  const none = el("p.weak", {}, "No service has sent anything about a room.");
  const trouble = el("div", {});
  fill(place, el("h1", {}, "Alerts"), el("h2", {}, "Messages of services"), none, messages, el("h2", {}, "Modules that do not work"), trouble);
  const rooms = await list("systems");
  if (left.aborted) return;
  const shown = () => {
    none.hidden = messages.childElementCount > 0;
  };
  for (const room of rooms) follow(room, messages, shown, left);
  const look = async () => {
    const modules = await list("modules").catch(() => null);
    if (modules && !left.aborted) fill(trouble, broken(modules));
  };
  const timer = setInterval(look, LOOK_EVERY);
  left.addEventListener("abort", () => clearInterval(timer));
  await look();
}

function follow(room, messages, shown, left) {
  const known = {};
  const line = el("li.live");
  const show = () => {
    const { last, unread } = known;
    if (!last) {
      line.remove();
      shown();
      return;
    }
    const when = new Date(last.time * 1000).toLocaleString();
    fill(
      line,
      el("a", { href: `#/room/${word(room.id)}`, dir: "auto" }, called(room)),
      unread > 0 && el("span.chip.warn", {}, `${unread} unread`),
      el("p", { dir: "auto" }, el("strong", {}, last.title || last.service), " ", last.message),
      el("p.weak", {}, `${last.service} · level ${last.level} · ${when}`),
    );
    if (!line.isConnected) messages.append(line);
    shown();
  };
  for (const name of ["last", "unread"]) {
    const looker = ({ value, stale }) => {
      known[name] = value;
      line.classList.toggle("old", stale);
      show();
    };
    left.addEventListener("abort", bind(room.id, ALERTS, 1, name, looker));
  }
}

function broken(modules) {
  const bad = modules.filter((module) => module.running && (module.connected === false || module.has_runtime_error));
  if (bad.length === 0) return el("p.good", {}, "All modules that are to run do.");
  const lines = bad.map((module) => {
    const room = module.control_system?.name;
    const where = module.control_system_id ? el("a", { href: `#/room/${word(module.control_system_id)}`, dir: "auto" }, room ?? module.control_system_id) : "";
    const name = module.custom_name || module.name;
    return el("li", {}, el("span.dot.bad", { role: "img", "aria-label": "broken" }), " ", where, ` ${name} `, el("span.weak.mono", {}, `${module.id} · ${module.condition ?? "not connected"}`));
  });
  return el("ul.entries", {}, lines);
}
