// pusher-js and Laravel Echo, unmodified, as pages in one process, and Pusher's server library for Node beside them;
// driven by a test through standard input and output.
//
//   node pages.mjs URL APP KEY SECRET
//
// Standard input takes one command a line and standard output gives one event a line, both JSON objects.
// `ref` is the test's own mark; it comes back in each answer: {"event":"result","ref","value"} or {"event":"error","ref","error"}.
// A page has a name, and every command and event of a page has it in `page`.
//
//   {"cmd":"open","page","key","member","user","options"}   a pusher-js; `options` are more of its own. It signs what it subscribes to with
//                                                     the server library, presence channels as `member`, and signs in as `user`
//   {"cmd":"echo","page","broadcaster","options"}           an Echo in place of a bare pusher-js
//   {"cmd":"become","page","member","user"}                 others from here on
//   {"cmd":"answer","page","channel","auth"}                what it presents for a channel in place of its own signature; `channel` null: for a sign-in
//   {"cmd":"subscribe","page","channel"}  {"cmd":"unsubscribe","page","channel"}
//   {"cmd":"trigger","page","channel","name","data"}        `channel.trigger`
//   {"cmd":"send","page","text"}                            any text
//   {"cmd":"signin","page"}  {"cmd":"disconnect","page"}  {"cmd":"connect","page"}
//   {"cmd":"members","page","channel"}                      the library's idea of a presence channel
//   {"cmd":"socket_id","page"}  {"cmd":"state","page"}
//   {"cmd":"listen","page","kind","channel","name"}         Echo's `private`, `join`, …, and an event there
//   {"cmd":"whisper","page","kind","channel","name","data"}
//   {"cmd":"server","method","args"}                        the server library; a request's value is {"status","body"}
//
// Without being asked it says
//
//   {"event":"dial","url"}                                  a socket is asked for
//   {"event":"state","page","previous","current"}  {"event":"failed","page","error"}   `error` is {"code","message"}
//   {"event":"frame","page","frame"}                        as the library has decoded it
//   {"event":"heard","page","channel","name","data"}        what a channel tells its callbacks, and {"event":"from","page","channel","name","user"}
//                                                     behind it when the callback is told who sent it
//   {"event":"user","page","name","data"}  {"event":"watchlist","page","name","data"}
//   {"event":"echo","page","channel","name","data"}         what Echo tells: `here`, `joining`, `leaving`, `error`, or an event

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import Echo from "laravel-echo";

const require = createRequire(import.meta.url);
const Pusher = require("pusher-js");
const Server = require("pusher");
const nacl = require("tweetnacl");

const [url, appId, key, secret] = process.argv.slice(2);
if (!secret) {
  console.error("usage: pages.mjs URL APP KEY SECRET");
  process.exit(2);
}
const { hostname, port, pathname, protocol } = new URL(url);
const prefix = pathname.replace(/\/$/, "");

// 32 bytes, from 0 to 31.
const encryptionMasterKeyBase64 = Buffer.from([...Array(32).keys()]).toString("base64");
const server = new Server({ host: hostname, port, scheme: protocol.slice(0, -1), appId, key, secret, encryptionMasterKeyBase64 });

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

// Its complaints would stand among our events.
for (const way of ["log", "warn", "error", "debug"]) console[way] = () => {};

// A page connects when it is observed, and not while it is made. The flag is the base class's.
Object.getPrototypeOf(Pusher).isReady = false;

const createWebSocket = Pusher.Runtime.createWebSocket;
Pusher.Runtime.createWebSocket = (url) => {
  report({ event: "dial", url });
  return createWebSocket.call(Pusher.Runtime, url);
};

const pages = new Map();

function optionsOf(page) {
  const sign = (channel, make) => (page.answers.has(channel) ? page.answers.get(channel) : make());
  const answer = (callback, make) => {
    try {
      callback(null, make());
    } catch (error) {
      callback(error, null);
    }
  };
  return {
    cluster: "",
    wsHost: hostname,
    wsPort: port,
    wsPath: prefix,
    httpHost: hostname,
    httpPort: port,
    forceTLS: false,
    enabledTransports: ["ws"],
    nacl,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        answer(callback, () =>
          sign(channelName, () =>
            server.authorizeChannel(socketId, channelName, channelName.startsWith("presence-") ? page.member : undefined),
          ),
        ),
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) =>
        answer(callback, () => sign(null, () => server.authenticateUser(socketId, page.user))),
    },
  };
}

function observe(name, pusher) {
  const say = (event, more) => report({ event, page: name, ...more });
  pusher.connection.bind("state_change", (change) => say("state", change));
  // An end of the connection is told with one more wrapping than an error that leaves it open.
  pusher.connection.bind("error", (error) => say("failed", { error: error.data ?? error.error?.data ?? error }));
  pusher.connection.bind("message", (frame) => say("frame", { frame }));
  pusher.user.bind_global((name, data) => say("user", { name, data: data ?? null }));
  pusher.user.watchlist.bind_global((name, data) => say("watchlist", { name, data }));
}

function hear(page, channel) {
  if (page.channels.has(channel)) return;
  page.channels.add(channel);
  channel.bind_global((name, data) => {
    report({ event: "heard", page: page.name, channel: channel.name, name, data: data ?? null });
    // Who sent it is told to the callbacks of one name alone.
    const named = `${channel.name} ${name}`;
    if (!name.startsWith("client-") || page.named.has(named)) return;
    page.named.add(named);
    channel.bind(name, (_, from) => report({ event: "from", page: page.name, channel: channel.name, name, user: from?.user_id ?? null }));
  });
}

function put(page, pusher) {
  pages.set(page.name, Object.assign(page, { pusher }));
  observe(page.name, pusher);
  pusher.connect();
}

function newPage({ page, member, user }) {
  return { name: page, member, user, answers: new Map(), channels: new Set(), named: new Set() };
}

function echoChannel({ page, kind, channel }) {
  return pages.get(page).echo[kind](channel);
}

const commands = {
  open: (command) => {
    const page = newPage(command);
    put(page, new Pusher(command.key ?? key, { ...optionsOf(page), ...command.options }));
  },
  echo: (command) => {
    const page = newPage(command);
    const { channelAuthorization, userAuthentication, cluster, ...options } = optionsOf(page);
    page.echo = new Echo({ broadcaster: command.broadcaster, key, Pusher, ...options, ...command.options });
    put(page, page.echo.connector.pusher);
  },
  become: ({ page, member, user }) => void Object.assign(pages.get(page), { member, user }),
  answer: ({ page, channel, auth }) => void pages.get(page).answers.set(channel, auth),
  subscribe: ({ page, channel }) => hear(pages.get(page), pages.get(page).pusher.subscribe(channel)),
  unsubscribe: ({ page, channel }) => pages.get(page).pusher.unsubscribe(channel),
  trigger: ({ page, channel, name, data }) => pages.get(page).pusher.channel(channel).trigger(name, data),
  send: ({ page, text }) => pages.get(page).pusher.connection.send(text),
  signin: ({ page }) => pages.get(page).pusher.signin(),
  disconnect: ({ page }) => pages.get(page).pusher.disconnect(),
  connect: ({ page }) => pages.get(page).pusher.connect(),
  members: ({ page, channel }) => {
    const { members, count, me } = pages.get(page).pusher.channel(channel).members;
    return { members, count, me };
  },
  socket_id: ({ page }) => pages.get(page).pusher.connection.socket_id,
  state: ({ page }) => pages.get(page).pusher.connection.state,
  listen: ({ page, kind, channel, name }) => {
    const found = echoChannel({ page, kind, channel });
    const tell = (name) => (data) => report({ event: "echo", page, channel, name, data: data ?? null });
    if (!name) {
      found.subscribed(tell("subscribed")).error(tell("error"));
      if (kind === "join") found.here(tell("here")).joining(tell("joining")).leaving(tell("leaving"));
    } else if (name.startsWith("whisper:")) found.listenForWhisper(name.slice(8), tell(name));
    else found.listen(name, tell(name));
  },
  whisper: ({ page, kind, channel, name, data }) => void echoChannel({ page, kind, channel }).whisper(name, data),
  server: async ({ method, args }) => {
    const value = await server[method](...args);
    if (typeof value?.text !== "function") return value;
    const text = await value.text();
    return { status: value.status, body: JSON.parse(text) };
  },
};

// What the library rejects a request with is no plain object.
function plain(error) {
  const { status, body, message } = error ?? {};
  return status ? { status, body } : (message ?? String(error));
}

async function obey(line) {
  const { cmd, ref, ...command } = JSON.parse(line);
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
