// The one websocket of the page: bindings, calls and logs, across lost connections.

import { CONTROL, socketAddress } from "./base.js";
import { Failed, answerTo, fail, failAll, succeed } from "./calls.js";
import { hideCredential, showCredential } from "./credential.js";
import { parse } from "./exact.js";
import { get } from "./rest.js";
import { isKnown } from "./session.js";
import { Watch, keyOf, tell } from "./watches.js";

/** How often the gateway is asked for a sign of life, and after which silence the connection counts as lost. */
const PING_EVERY = 15_000;
const SILENCE_MAX = 40_000;

/** The shortest and the longest pause before the next try to connect. */
const PAUSE_MIN = 300;
const PAUSE_MAX = 8_000;

/** How long after a new connection a value that did not come again is taken for gone. */
const SETTLED_AFTER = 3_000;

/** How long a bind waits that the gateway had no time for. */
const BUSY_PAUSE = 1_000;

/** The code of what the gateway could not do at the moment. */
const UNEXPECTED = 7;

/** @type {Map<string, Watch>} */
const watches = new Map();
/** @type {Map<string, {sys: string, heard: (line: object) => void, refused: (why: string) => void}>} by the id of a module */
const logs = new Map();
/** The binds without an answer, by their ids. @type {Map<number, Watch>} */
const asked = new Map();
const listeners = new Set();

let socket = null;
let lastId = 0;
let tries = 0;
let heardAt = 0;
let wanted = false;
let retry = 0;

/** How the connection is: `since` is when the page lost it. */
export const connection = { isOpen: false, since: null };

/** Calls this whenever the connection has come or gone. @returns {() => void} no longer */
export function onConnection(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Connects, and goes on to until `disconnect`. */
export function connect() {
  wanted = true;
  open();
}

/** Ends it for good, as at a sign-out. */
export function disconnect() {
  wanted = false;
  clearTimeout(retry);
  socket?.close();
}

/**
 * Looks at a status from now on.
 * @param {(watch: Watch) => void} looker called with the value that is known, and whenever that changes
 * @returns {() => void} looks no longer
 */
export function bind(sys, mod, index, name, looker) {
  const key = keyOf({ sys, mod, index, name });
  let watch = watches.get(key);
  if (!watch) {
    watch = new Watch(sys, mod, index, name);
    watches.set(key, watch);
    ask(watch);
  }
  watch.lookers.add(looker);
  if (watch.value !== undefined) looker(watch);
  return () => {
    watch.lookers.delete(looker);
    if (watch.lookers.size === 0 && watches.get(key) === watch) {
      watches.delete(key);
      send(watch.request(next(), "unbind"));
    }
  };
}

/** Calls a function. It is sent once: a call whose answer is lost may have run. @returns {Promise<unknown>} what it gives */
export async function exec(sys, mod, index, name, args) {
  const id = next();
  if (!send({ id, cmd: "exec", sys, mod, index, name, args })) throw new Failed("There is no connection to the gateway. Nothing was sent.");
  return answerTo(id);
}

/** Follows the log of a module. @returns {() => void} no longer */
export function follow(sys, moduleId, heard, refused) {
  logs.set(moduleId, { sys, heard, refused });
  askForLog(moduleId);
  return () => {
    logs.delete(moduleId);
    send(logRequest("ignore", moduleId, sys));
  };
}

/** Binds a status. What cannot be bound at the moment is asked for again: a second bind is the first one again. */
function ask(watch) {
  const id = next();
  if (send(watch.request(id, "bind"))) asked.set(id, watch);
}

function answered(id, code) {
  const watch = asked.get(id);
  asked.delete(id);
  if (code === UNEXPECTED && watch) setTimeout(() => watches.get(watch.key) === watch && ask(watch), BUSY_PAUSE * (1 + Math.random()));
}

function askForLog(module) {
  const { sys, refused } = logs.get(module);
  const message = logRequest("debug", module, sys);
  // A lost connection is no refusal: it is asked again over the next one.
  if (send(message)) answerTo(message.id).catch((error) => connection.isOpen && refused(error.message));
}

const logRequest = (cmd, mod, sys) => ({ id: next(), cmd, sys, mod, index: 1, name: "debug" });

const next = () => (lastId += 1);

function send(message) {
  if (!connection.isOpen) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function open() {
  if (!isKnown() || !wanted) return;
  showCredential();
  const opened = new WebSocket(socketAddress(CONTROL));
  socket = opened;
  let wasOpen = false;
  opened.onopen = () => {
    wasOpen = true;
    hideCredential();
    begin();
  };
  opened.onmessage = ({ data }) => hear(data);
  opened.onclose = () => {
    if (socket === opened) end(wasOpen);
  };
}

function begin() {
  tries = 0;
  heardAt = Date.now();
  connection.isOpen = true;
  connection.since = null;
  say("ping");
  for (const watch of watches.values()) ask(watch);
  for (const module of logs.keys()) askForLog(module);
  const begun = socket;
  setTimeout(() => socket === begun && connection.isOpen && forgetTheGone(), SETTLED_AFTER);
  for (const listener of listeners) listener(connection);
}

/** The application's own ping, which is no JSON. */
function say(text) {
  if (connection.isOpen) socket.send(text);
}

/** A status that is not there any more has no news to tell of itself. */
function forgetTheGone() {
  for (const watch of watches.values()) {
    if (!watch.stale) continue;
    watch.stale = false;
    watch.value = undefined;
    tell(watch);
  }
}

function end(wasOpen) {
  connection.isOpen = false;
  asked.clear();
  if (wasOpen) connection.since = heardAt;
  failAll("The connection was lost. The call may have run.");
  for (const watch of watches.values()) {
    if (watch.value === undefined) continue;
    watch.stale = true;
    tell(watch);
  }
  for (const listener of listeners) listener(connection);
  if (!wanted) return;
  const pause = Math.min(PAUSE_MIN * 2 ** tries, PAUSE_MAX) * (0.75 + Math.random() / 2);
  tries += 1;
  retry = setTimeout(async () => {
    // A browser does not say why a websocket was not let in; this request is told, and has somebody sign in again.
    if (!wasOpen) await get("users/current").catch(() => null);
    open();
  }, pause);
}

function hear(data) {
  heardAt = Date.now();
  if (data === "pong") return;
  const frame = parse(data);
  switch (frame.type) {
    case "notify":
      notified(frame);
      break;
    case "debug":
      logs.get(frame.mod)?.heard(frame);
      break;
    case "success":
      answered(frame.id);
      succeed(frame.id, frame.value);
      break;
    case "error":
      answered(frame.id, frame.code);
      fail(frame.id, frame.msg ?? "The gateway refuses this.");
      break;
  }
}

function notified({ meta, value }) {
  const watch = watches.get(keyOf(meta));
  if (!watch) return;
  watch.value = value;
  watch.stale = false;
  watch.at = heardAt;
  tell(watch);
}

setInterval(() => {
  if (connection.isOpen && Date.now() - heardAt > SILENCE_MAX) {
    // A lost line says nothing when it is closed either.
    const lost = socket;
    lost.onclose = null;
    lost.close();
    end(true);
  } else say("ping");
}, PING_EVERY);
