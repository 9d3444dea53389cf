// A websocket to any dialect's path, by hand: frames both ways, with examples.

import { BASE, CONTROL, socketAddress } from "./base.js";
import { button, clock, el, fill } from "./dom.js";
import { socketCredential } from "./session.js";
import { hideCredential, showCredential } from "./credential.js";
import { EXAMPLES, TOKEN } from "./examples.js";

/** How many frames are kept in the page. */
const FRAMES_MAX = 500;

/** How much of a frame is shown. */
const SHOWN_MAX = 4_000;

export async function open(place, _words, { left }) {
  const dialect = el("select", {}, Object.entries(EXAMPLES).map(([word, { name }]) => el("option", { value: word }, name)));
  const path = el("input", { type: "text", spellcheck: false, autocomplete: "off" });
  const frame = el("textarea", { rows: 4, spellcheck: false });
  const examples = el("div.row");
  const note = el("p.help");
  const frames = el("div.log", { role: "log", "aria-label": "Frames", "aria-live": "off", tabIndex: 0 });
  const state = el("p", { role: "status" }, "not connected");
  let socket = null;

  const line = (mark, text, tone = "") => {
    while (frames.childElementCount >= FRAMES_MAX) frames.firstElementChild.remove();
    frames.append(el("p", { className: tone }, `${clock(Date.now())} ${mark} ${text.slice(0, SHOWN_MAX)}`));
    frames.scrollTop = frames.scrollHeight;
  };
  const disconnect = () => {
    if (socket) socket.close();
    socket = null;
  };
  const connect = () => {
    disconnect();
    if (path.value.startsWith(CONTROL)) showCredential();
    const opened = new WebSocket(socketAddress(path.value));
    socket = opened;
    state.textContent = "connecting";
    opened.onopen = () => {
      hideCredential();
      state.textContent = "connected";
      line("·", "open");
    };
    opened.onmessage = ({ data }) => line("←", typeof data === "string" ? data : "(binary)");
    opened.onclose = ({ code, reason }) => {
      state.textContent = "not connected";
      line("·", `closed ${code} ${reason}`, "weak");
    };
  };
  const send = () => {
    if (socket?.readyState !== WebSocket.OPEN) {
      line("·", "connect first", "bad");
      return;
    }
    // What stands in the page is what was typed, without the secret.
    socket.send(frame.value.replaceAll(TOKEN, socketCredential()?.[1] ?? ""));
    line("→", frame.value);
  };
  const choose = () => {
    const { path: theirs, about, frames: known } = EXAMPLES[dialect.value];
    path.value = `${BASE}${theirs}`;
    note.textContent = about;
    const set = (text) => () => {
      frame.value = text;
    };
    fill(examples, known.map(([name, text]) => button(name, set(text))));
    set(known[0][1])();
  };
  dialect.addEventListener("change", choose);
  left.addEventListener("abort", disconnect);
  fill(
    place,
    el("h1", {}, "Try it"),
    el("div.row", {}, el("label", {}, "Dialect", dialect), el("label.grows", {}, "Path", path), button("Connect", connect, { className: "main" }), button("Disconnect", disconnect)),
    state,
    note,
    el("h2", {}, "Send"),
    examples,
    el("label", {}, "Frame", frame),
    el("p", {}, button("Send", send, { className: "main" })),
    el("h2", {}, "Frames"),
    frames,
  );
  choose();
}
