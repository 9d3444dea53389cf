// Home Assistant's own client library, unmodified, driven by a test through its standard input and output.
//
//   node ha-client.mjs URL
//
// Standard input takes one command a line and standard output gives one event a line, both JSON objects.
// `ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"}.
//
// First of all the client connects, in one of these ways; `retry` is the library's `setupRetry`. The value is the server's version.
//
//   {"cmd":"connect","ref","token","retry"}              with a long-lived token
//   {"cmd":"sign_in","ref","username","password"}        by the login flow, whose code the library changes for its tokens
//   {"cmd":"code","ref","username","password","client"}  only as far as the code, which is the value
//   {"cmd":"exchange","ref","code","client"}             from a code on; `client` is another client id than its own
//
// From there on these; what they do is the library's, and what differs is said.
//
//   {"cmd":"ask","ref","name","args"}                    one of the library's functions of a connection: getStates, getConfig, getServices, getUser, callService
//   {"cmd":"ping","ref"}                                 `conn.ping()`
//   {"cmd":"promise","ref","message"}                    `conn.sendMessagePromise`
//   {"cmd":"send","message"}                             `conn.sendMessage`, whose answer nobody awaits
//   {"cmd":"subscribe_entities"}                         an `entities` event for the calls of the callback in one turn
//   {"cmd":"subscribe_services"}                         a `services` event for each call of the callback
//   {"cmd":"subscribe_events","ref","type"}              answered, and then `message` events with the same `ref`
//   {"cmd":"subscribe","ref","message","resubscribe"}    the same for any message
//   {"cmd":"unsubscribe","ref","of"}                     the function that the subscription `of` gave
//   {"cmd":"refresh","ref"}  {"cmd":"revoke","ref"}      of the tokens
//   {"cmd":"expire"}                                     the library is made to think that its access token has expired
//   {"cmd":"drop"}                                       the socket ends without a word
//   {"cmd":"suspend","ref"}                              the library closes and waits; {"cmd":"resume"} lets it go on
//   {"cmd":"stall"}  {"cmd":"unstall"}                   the socket is not read, and is again
//   {"cmd":"close"}                                      `conn.close()`
//
// Without being asked it says
//
//   {"event":"ready"} {"event":"disconnected"} {"event":"reconnect-error","error"}   the library's own events of a connection
//   {"event":"entities","calls","count","changed","gone"}  how many calls of the callback, how many entities the library has, those that are other objects than before, those that went
//   {"event":"services","services"}
//   {"event":"message","ref","message"}
//   {"event":"tokens","tokens"}                          the library saves its tokens, or null when it forgets them
//   {"event":"http","method","path","type"}              a request leaves; {"event":"http_reply","path","status"} is its answer
//   {"event":"socket","socket","path"}                   a websocket is asked for; they are numbered from 1
//   {"event":"socket_open","socket"}  {"event":"socket_close","socket","code","reason","clean"}
//   {"event":"sent","socket","frame"}  {"event":"received","socket","frame"}
//   {"event":"warned","text"}                            the library complains to its console
//   {"event":"refused","line","error"}                   a command line that makes no sense
//
// It ends when its standard input does.

import { createInterface } from "node:readline";
import { observeNetwork } from "./network.mjs";

const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: ha-client.mjs URL");
  process.exit(2);
}

const CLIENT = `${new URL(url).origin}/`;

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

observeNetwork(report);
console.warn = (...words) => report({ event: "warned", text: words.map(String).join(" ") });

// After the network is observed, because the library takes `WebSocket` and `fetch` from there.
const library = await import("home-assistant-js-websocket");

let auth;
let connection;
let resume = () => {};
const subscriptions = new Map();

async function connect(newAuth, setupRetry = 0) {
  auth = newAuth;
  connection = await library.createConnection({ auth, setupRetry });
  for (const name of ["ready", "disconnected", "reconnect-error"]) {
    connection.addEventListener(name, (_, error) => report({ event: name, error }));
  }
  return connection.haVersion;
}

function tokens(authCode, clientId = CLIENT) {
  const saveTokens = (tokens) => report({ event: "tokens", tokens });
  return library.getAuth({ hassUrl: url, clientId, authCode, saveTokens });
}

// What a person does on the login page: the form that the flow asks for, filled in and sent.
async function code({ username, password, client = CLIENT }) {
  const post = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.json();
  };
  const begin = { client_id: client, handler: ["homeassistant", null], redirect_uri: `${client}?auth_callback=1` };
  const form = await post("/auth/login_flow", begin);
  const end = await post(`/auth/login_flow/${form.flow_id}`, { client_id: client, username, password });
  if (end.type !== "create_entry") throw end;
  return end.result;
}

const commands = {
  connect: ({ token, retry }) => connect(library.createLongLivedTokenAuth(url, token), retry),
  sign_in: async (person) => connect(await tokens(await code(person))),
  code,
  exchange: async ({ code, client }) => connect(await tokens(code, client)),
  ask: ({ name, args = [] }) => library[name](connection, ...args),
  ping: () => connection.ping(),
  promise: ({ message }) => connection.sendMessagePromise(message),
  send: ({ message }) => connection.sendMessage(message),
  subscribe_entities: () => void library.subscribeEntities(connection, differenceReporter()),
  subscribe_services: () => void library.subscribeServices(connection, (services) => report({ event: "services", services })),
  subscribe_events: ({ ref, type }) => keep(ref, connection.subscribeEvents(messageReporter(ref), type)),
  subscribe: ({ ref, message, resubscribe }) =>
    keep(ref, connection.subscribeMessage(messageReporter(ref), message, { resubscribe })),
  unsubscribe: ({ of }) => subscriptions.get(of)(),
  refresh: () => auth.refreshAccessToken(),
  revoke: () => auth.revoke(),
  expire: () => void (auth.data.expires = 0),
  drop: () => connection.socket.terminate(),
  suspend: () => {
    connection.suspendReconnectUntil(new Promise((resolve) => (resume = resolve)));
    connection.suspend();
  },
  resume: () => resume(),
  stall: () => connection.socket.pause(),
  unstall: () => connection.socket.resume(),
  close: () => connection.close(),
};

function messageReporter(ref) {
  return (message) => report({ event: "message", ref, message });
}

async function keep(ref, subscription) {
  subscriptions.set(ref, await subscription);
}

// The library makes a new object of an entity whenever something came for it, and leaves those of the others alone.
// What comes in one turn is compared once: thousands of entities are many to look through.
function differenceReporter() {
  let before = {};
  let now = {};
  let calls = 0;
  const flush = () => {
    const changed = Object.entries(now).filter(([id, entity]) => before[id] !== entity);
    const gone = Object.keys(before).filter((id) => !(id in now));
    report({ event: "entities", calls, count: Object.keys(now).length, changed: Object.fromEntries(changed), gone });
    before = now;
    calls = 0;
  };
  return (entities) => {
    now = entities;
    calls += 1;
    if (calls === 1) queueMicrotask(flush);
  };
}

// An `Error` has no fields of its own that JSON would show.
function plain(error) {
  return error instanceof Error ? String(error) : error;
}

async function obey(line) {
  let command;
  try {
    command = JSON.parse(line);
    if (!(command.cmd in commands)) throw new Error("there is no such command");
  } catch (error) {
    report({ event: "refused", line, error: plain(error) });
    return;
  }
  const { cmd, ref } = command;
  try {
    const value = await commands[cmd](command);
    report({ event: "result", ref, value: value ?? null });
  } catch (error) {
    report({ event: "error", ref, error: plain(error) });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on("line", obey);
// The library's timers would keep the process alive.
lines.on("close", () => process.exit(0));
