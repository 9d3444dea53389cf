// The frame of the console: who looks, the way between the pages, and how old what they show may be.

import { button, clock, el, fill } from "./dom.js";
import { get } from "./rest.js";
import { forget, isKnown, renewInTime, resume, signInOnce, signOut } from "./session.js";
import { placeBefore, showSignIn } from "./signin.js";
import { connect, connection, disconnect, onConnection } from "./socket.js";
import { bad } from "./toasts.js";

/** The pages, by the first word behind `#/`. Each is fetched when it is opened first, and shows itself in a place. */
const PAGES = {
  building: { name: "Building", load: () => import("./building.js") },
  room: { title: "Room", load: () => import("./room.js") },
  trigger: { title: "Trigger", load: () => import("./trigger.js") },
  edit: { name: "Edit", isOpenTo: (user) => user.support, load: () => import("./edit.js") },
  alerts: { name: "Alerts", isOpenTo: (user) => user.support, load: () => import("./alerts.js") },
  metrics: { name: "Metrics", load: () => import("./metrics.js") },
  cluster: { name: "Cluster", load: () => import("./cluster.js") },
  tryit: { name: "Try it", load: () => import("./tryit.js") },
};

const START = "building";

const byId = (id) => document.getElementById(id);

/** The user. @type {{name: string, sys_admin: boolean, support: boolean} | null} */
let user = null;

/** Ends what the open page has begun. */
let leave = () => {};

/** Counts the openings, so that a page that comes late does not replace a later one. */
let opening = 0;

async function show() {
  const words = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  const page = Object.hasOwn(PAGES, words[0]) ? words[0] : START;
  const mine = (opening += 1);
  leave();
  leave = () => {};
  mark(page);
  const place = el("div.page", {});
  fill(byId("content"), place);
  try {
    const { open } = await PAGES[page].load();
    if (mine !== opening) return;
    const left = new AbortController();
    leave = () => left.abort();
    await open(place, words.slice(1), { user, left: left.signal });
  } catch (error) {
    if (mine !== opening) return;
    fill(place, el("p.problem", { role: "alert" }, `This page cannot be shown: ${error.message}`));
  }
}

/** A word of an address that somebody may have typed. */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** Tells in the navigation, and to whom it is read, which page is open. */
function mark(page) {
  for (const link of byId("pages").children) {
    const isOpen = link.getAttribute("href") === `#/${page}`;
    if (isOpen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${PAGES[page].name ?? PAGES[page].title} · Console`;
}

function showConnection() {
  const { isOpen, since } = connection;
  const state = byId("connection");
  state.textContent = isOpen ? "connected" : "not connected";
  state.className = isOpen ? "good" : "bad";
  document.body.classList.toggle("stale", !isOpen);
  const banner = byId("stale");
  banner.hidden = isOpen || since === null;
  banner.textContent = banner.hidden ? "" : `No connection to the gateway. Values may be old since ${clock(since)}.`;
}

async function begin() {
  try {
    user = await get("users/current");
  } catch (error) {
    forget();
    bad(error.message);
    showSignIn(byId("content"), begin);
    return;
  }
  byId("who").textContent = user.name;
  byId("who").dir = "auto";
  byId("sign-out").hidden = false;
  byId("sign-out").onclick = async () => {
    leave();
    disconnect();
    await signOut();
    location.reload();
  };
  const links = Object.entries(PAGES).filter(([, page]) => page.name && (page.isOpenTo?.(user) ?? true));
  fill(byId("pages"), links.map(([word, page]) => el("a", { href: `#/${word}` }, page.name)));
  byId("pages").hidden = false;
  const before = placeBefore();
  if (before && !location.hash) history.replaceState(null, "", before);
  onConnection(showConnection);
  connect();
  renewInTime();
  addEventListener("hashchange", () => {
    show();
    byId("content").focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  show();
}

/** The gateway may be starting just now, so it is asked again when somebody says so. */
async function start() {
  const once = new URLSearchParams(location.hash.slice(1)).get("once");
  // Out of sight before anything is asked, and out of the history.
  if (once) history.replaceState(null, "", location.pathname);
  try {
    if (once && !(await signInOnce(once))) bad("This address has signed somebody in before, or is too old. Restart the demo for a new one.");
    await resume();
  } catch {
    const again = button("Try again", start, { className: "main" });
    fill(byId("content"), el("p.problem", { role: "alert" }, "The gateway does not answer."), again);
    return;
  }
  if (isKnown()) begin();
  else showSignIn(byId("content"), begin);
}

start();
