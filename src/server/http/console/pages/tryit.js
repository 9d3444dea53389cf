// Any dialect by hand, with examples: frames both ways over a websocket, or one request and its answer.

import { BASE, CONTROL, socketAddress } from "./base.js";
import { hideCredential, showCredential } from "./credential.js";
import { button, clock, el, fill } from "./dom.js";
import { EXAMPLES, TOKEN } from "./examples.js";
import { Lines, cut } from "./lines.js";
import { socketCredential } from "./session.js";

/** @typedef {(mark: string, text: string, tone?: string) => void} Tell says in a line what has come and gone */

export async function open(place, _words, { left }) {
  const dialect = el("select", {}, Object.entries(EXAMPLES).map(([word, { name }]) => el("option", { value: word }, name)));
  const path = el("input", { type: "text", spellcheck: false, autocomplete: "off" });
  const frame = el("textarea", { rows: 4, spellcheck: false });
  const examples = el("div.row");
  const note = el("p.help");
  const frames = el("div.log", { role: "log", "aria-label": "Frames", "aria-live": "off", tabIndex: 0 });
  const many = el("p.weak");
  const lines = new Lines(frames, many, ({ at, mark, text, tone }) => el("p", { className: tone }, `${clock(at)} ${mark} ${text}`));
  const tell = (mark, text, tone = "") => lines.add({ at: Date.now(), mark, text: cut(text), tone });
  const socket = new Socket(tell, () => path.value);
  left.addEventListener("abort", () => socket.close());
  const send = () => {
    const example = EXAMPLES[dialect.value];
    if (example.contentType) post(example, path.value, frame.value, tell, left);
    else socket.send(frame.value);
  };
  const choose = () => {
    const { path: theirs, about, contentType, frames: known } = EXAMPLES[dialect.value];
    socket.close();
    socket.element.hidden = Boolean(contentType);
    path.value = `${BASE}${theirs}`;
    note.textContent = about;
    const set = (text) => () => {
      frame.value = text;
    };
    fill(examples, known.map(([name, text]) => button(name, set(text))));
    set(known[0][1])();
  };
  dialect.addEventListener("change", choose);
  fill(
    place,
    el("h1", {}, "Try it"),
    el("div.row", {}, el("label", {}, "Dialect", dialect), el("label.grows", {}, "Path", path)),
    socket.element,
    note,
    el("h2", {}, "Send"),
    examples,
    el("label", {}, "Frame", frame),
    el("p", {}, button("Send", send, { className: "main" })),
    el("h2", {}, "Frames"),
    frames,
    many,
  );
  choose();
}

/** A websocket that somebody opens and closes. */
class Socket {
  #socket = null;
  #state = el("p", { role: "status" }, "not connected");

  /**
   * @param {Tell} tell
   * @param {() => string} path where it is to be opened
   */
  constructor(tell, path) {
    Object.assign(this, { tell, path });
    this.element = el("div.row", {}, button("Connect", () => this.#open(), { className: "main" }), button("Disconnect", () => this.close()), this.#state);
  }

  #open() {
    this.close();
    const path = this.path();
    if (path.startsWith(CONTROL)) showCredential();
    const opened = new WebSocket(socketAddress(path.replaceAll(TOKEN, encodeURIComponent(secret()))));
    this.#socket = opened;
    this.#state.textContent = "connecting";
    opened.onopen = () => {
      hideCredential();
      this.#state.textContent = "connected";
      this.tell("·", "open");
    };
    opened.onmessage = ({ data }) => this.tell("←", typeof data === "string" ? data : "(binary)");
    opened.onclose = ({ code, reason }) => {
      if (this.#socket === opened || this.#socket === null) this.#state.textContent = "not connected";
      this.tell("·", `closed ${code} ${reason}`, "weak");
    };
  }

  close() {
    this.#socket?.close();
    this.#socket = null;
  }

  send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.tell("·", "connect first", "bad");
      return;
    }
    // What stands in the page is what was typed, without the secret.
    this.#socket.send(text.replaceAll(TOKEN, secret()));
    this.tell("→", text);
  }
}

/** Sends one request. @param {Tell} tell */
async function post({ contentType, credential }, path, text, tell, signal) {
  tell("→", text);
  const headers = { "Content-Type": contentType, ...(credential ? { [credential]: secret() } : {}) };
  try {
    const answer = await fetch(path, { method: "POST", headers, body: text.replaceAll(TOKEN, secret()), signal });
    tell("←", `${answer.status} ${await answer.text()}`, answer.ok ? "" : "bad");
  } catch (error) {
    tell("·", `no answer: ${error.message}`, "bad");
  }
}

/** The token or the key of who looks. */
const secret = () => socketCredential()?.[1] ?? "";
