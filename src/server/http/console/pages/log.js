// The log of a module as it comes.

import { button, clock, el } from "./dom.js";
import { Lines, cut } from "./lines.js";
import { follow } from "./socket.js";

const LEVELS = ["trace", "debug", "info", "notice", "warn", "error", "fatal"];
const TONES = { trace: "weak", debug: "weak", warn: "warn", warning: "warn", error: "bad", fatal: "bad" };

export function logPane({ sys, mod, index, module }, left) {
  const label = `Log of ${mod} ${index}`;
  const lines = el("div.log", { role: "log", "aria-label": label, "aria-live": "off", tabIndex: 0 });
  const level = el("select", {}, LEVELS.map((name) => el("option", {}, name)));
  const text = el("input", { type: "search", autocomplete: "off" });
  const many = el("p.weak", {}, "Lines show as they come.");
  const fits = (line) => levelOf(line.level) >= LEVELS.indexOf(level.value) && line.msg.toLowerCase().includes(text.value.toLowerCase());
  const pane = new Lines(lines, many, row, fits);
  for (const input of [level, text]) input.addEventListener("input", () => pane.showAgain());
  const pause = button("Pause", () => {
    pane.isPaused = !pane.isPaused;
    pause.textContent = pane.isPaused ? "Go on" : "Pause";
    pane.showAgain();
  });
  const refused = (why) => {
    many.role = "alert";
    many.textContent = `The log cannot be followed: ${why}`;
  };
  const heard = (line) => pane.add({ at: Date.now(), level: String(line.level), msg: cut(String(line.msg)) });
  const stop = follow(sys, module.id, heard, refused);
  left.addEventListener("abort", stop);
  return [
    el("div.row", {}, el("label", {}, "From level", level), el("label", {}, "With the text", text), pause, button("Clear", () => pane.clear())),
    lines,
    many,
  ];
}

/** A level that is not known is shown with the most important ones. */
function levelOf(level) {
  const at = LEVELS.indexOf(level === "warning" ? "warn" : level);
  return at < 0 ? LEVELS.length : at;
}

function row({ at, level, msg }) {
  return el("p", { className: TONES[level] ?? "" }, `${clock(at)} ${level} ${msg}`);
}
