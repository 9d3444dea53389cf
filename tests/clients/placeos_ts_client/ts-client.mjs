// PlaceOS's own client library, unmodified, driven by a test through its standard input and output.
//
//   node ts-client.mjs URL API_KEY [cookie|query]
//   node ts-client.mjs URL --password EMAIL PASSWORD
//   node ts-client.mjs URL --code EMAIL PASSWORD
//
// `cookie` is how a page in a desktop browser presents its key, `query` how a framed page and an iPad do.
// With `--password` the library signs in by itself; with `--code` somebody has signed in on the login page before,
// and the library gets its token by a hidden frame, as backoffice does.
// Standard input takes one command a line and standard output gives one event a line, both JSON objects.
// `ref` is the test's own mark; it comes back in the answer.
//
//   command                                              answered by
//   {"cmd":"bind","sys","mod","index","name"}            a `value` event for each value, with the same four fields
//   {"cmd":"unbind","sys","mod","index","name"}          nothing: look for the reply among the `received` events
//   {"cmd":"exec","ref","sys","mod","index","name","args","timeout"}
//                                                        {"event":"result","ref","value"} or {"event":"error","ref","error"}
//   {"cmd":"debug","ref","sys","mod","index"}            as exec, and then `debug` events
//   {"cmd":"ignore","ref","sys","mod","index"}           as exec
//   {"cmd":"renew"}                                      nothing: the library is made to think that its token has expired
//   {"cmd":"logout"}                                     a `navigate` event
//   {"cmd":"ask","ref","name","args"}                    as exec: the library's function of this name, which asks over HTTP
//   {"cmd":"ask_all","ref","name","args"}                the same for a list, followed from page to page to its end
//
// Without being asked it says
//
//   {"event":"ready"}                                    the library has its authority and its key; it has opened no socket yet
//   {"event":"status","connected"}                       the library's own idea of being connected
//   {"event":"debug","mod_id","module","class_name","message","level","time"}
//   {"event":"http","method","path"}                     a request leaves; {"event":"http_reply","path","status"} is its answer
//   {"event":"socket","socket","path","cookie"}          a websocket is asked for; they are numbered from 1
//   {"event":"socket_open","socket"}  {"event":"socket_error","socket","message"}
//   {"event":"socket_close","socket","code","reason","clean"}
//   {"event":"sent","socket","frame"}  {"event":"received","socket","frame"}
//   {"event":"navigate","to"}                            the library wanted to leave or reload the page
//   {"event":"signed_in","status","location"}            the answer of the login page's form
//   {"event":"rejected","error"}                         a promise inside the library failed with nobody listening
//   {"event":"refused","line","error"}                   a command line that makes no sense
//
// It ends when its standard input does.

import { createInterface } from "node:readline";
import { firstValueFrom } from "rxjs";
import { openPage } from "./browser.mjs";

const [url, first, ...rest] = process.argv.slice(2);
const bySignIn = ["--password", "--code"].includes(first);
const [apiKey, carrier = "cookie"] = bySignIn ? [] : [first, ...rest];
const [username, password] = bySignIn ? rest : [];
if (!url || !(bySignIn ? password : apiKey) || !["cookie", "query"].includes(carrier)) {
  console.error("usage: ts-client.mjs URL (API_KEY [cookie|query] | --password EMAIL PASSWORD | --code EMAIL PASSWORD)");
  process.exit(2);
}

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

// A page carries on after an unhandled rejection, and the library has some: a rebind that the server refuses is one.
process.on("unhandledRejection", (error) => report({ event: "rejected", error: plain(error) }));

// A gateway below a path is named to the library as a host with that path behind it.
const { host, pathname } = new URL(url);
const base = pathname.replace(/\/$/, "");
openPage(new URL(`${base}/panel/`, url).href, report);
if (apiKey) localStorage.setItem("x-api-key", apiKey);
if (first === "--code") await signInOnThePage();

// After the page exists, because the library looks for `localStorage` while it loads; by its file,
// because the package's main entry is CommonJS in a package that says it is not.
const placeos = await import("@placeos/ts-client/dist/index.es.js");

const commands = {
  bind: ({ sys, mod, index, name }) => {
    const variable = placeos.getModule(sys, mod, index).variable(name);
    watch(variable, { sys, mod, index, name });
    variable.bind();
  },
  unbind: ({ sys, mod, index, name }) => placeos.getModule(sys, mod, index).variable(name).unbind(),
  exec: ({ ref, sys, mod, index, name, args, timeout }) =>
    answer(ref, placeos.getModule(sys, mod, index).execute(name, args, timeout)),
  debug: ({ ref, sys, mod, index }) => answer(ref, placeos.debug({ sys, mod, index, name: "debug" })),
  ignore: ({ ref, sys, mod, index }) => answer(ref, placeos.ignore({ sys, mod, index, name: "ignore" })),
  renew: () => {
    placeos.invalidateToken();
    placeos.token();
  },
  logout: () => placeos.logout(),
  ask: ({ ref, name, args }) => answer(ref, firstValueFrom(placeos[name](...args))),
  ask_all: ({ ref, name, args }) => answer(ref, everyPage(placeos[name](...args))),
};

async function everyPage(observable) {
  const pages = [];
  for (let page = await firstValueFrom(observable); page; page = page.next && (await firstValueFrom(page.next()))) {
    pages.push(page.data);
  }
  return pages;
}

const watched = new Set();

// Kept across an unbind, so that a value which comes after it is seen.
function watch(variable, path) {
  if (watched.has(variable)) return;
  watched.add(variable);
  variable.subscribe((value) => {
    // The library's word for "no value yet"; a value from the server is JSON and never this.
    if (value !== undefined) report({ event: "value", ...path, value });
  });
}

function answer(ref, promise) {
  promise.then(
    (value) => report({ event: "result", ref, value: value ?? null }),
    (error) => report({ event: "error", ref, error: plain(error) }),
  );
}

// An `Error` has no fields of its own that JSON would show.
function plain(error) {
  return error instanceof Error ? String(error) : error;
}

// The library repeats itself with every frame it receives.
let connected;
placeos.status().subscribe((now) => {
  if (now !== connected) report({ event: "status", connected: now });
  connected = now;
});
placeos.debug_events.subscribe((event) => report({ event: "debug", ...event }));

const options = { redirect_uri: new URL(`${base}/panel/oauth-resp.html`, url).href, scope: "public" };
if (base) options.host = host + base;
// Where the apps send the library; left alone it asks `/auth/token`.
if (first === "--password") Object.assign(options, { auth_type: "password", username, password });
if (first === "--code") {
  Object.assign(options, { auth_type: "auth_code", use_iframe: true, token_uri: "/auth/oauth/token" });
}
// Left out for the cookie, so that the library's own default is what is tested.
if (carrier === "query") options.token_header = true;
const ready = placeos.setup(options).then(() => report({ event: "ready" }));

// What a person does on the login page: its form, filled in and sent.
async function signInOnThePage() {
  const page = await fetch("/login?continue=%2Fpanel%2F");
  const form = await page.text();
  const hidden = /name="continue" type="hidden" value="([^"]*)"/.exec(form)[1];
  const action = /action="([^"]*)"/.exec(form)[1];
  const answer = await fetch(action, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ email: username, password, continue: hidden }),
  });
  report({ event: "signed_in", status: answer.status, location: answer.headers.get("location") });
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => ready.then(() => obey(line)));
// The library's timers would keep the process alive, and without a server it never becomes ready.
lines.on("close", () => process.exit(0));

function obey(line) {
  try {
    const command = JSON.parse(line);
    commands[command.cmd](command);
  } catch (error) {
    report({ event: "refused", line, error: plain(error) });
  }
}
