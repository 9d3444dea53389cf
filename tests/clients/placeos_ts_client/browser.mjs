// The part of a browser that a client library touches, for Node: storage, cookies, a location, `fetch` and `WebSocket`.
//
// A library written for pages runs on it unmodified, and every request that it makes is reported,
// because "what did the real client do next?" is what a test wants to know.
// It renders nothing, keeps nothing on disk and follows no navigation.

import { WebSocket as WsSocket } from "ws";

// Makes this process look like a page at `url`. `report` gets one plain object for each thing the page does on the network.
export function openPage(url, report) {
  const page = new URL(url);
  const jar = new CookieJar();
  const location = locationOf(page, report);

  define("window", globalThis);
  define("parent", globalThis); // A page in no frame is its own parent.
  define("location", location);
  const messages = new EventTarget();
  define("addEventListener", messages.addEventListener.bind(messages));
  define("removeEventListener", messages.removeEventListener.bind(messages));
  define("navigator", { platform: "Linux x86_64", userAgent: "Mozilla/5.0 (X11; Linux x86_64)" });
  define("localStorage", new MemoryStorage());
  define("sessionStorage", new MemoryStorage());
  define("fetch", fetchFrom(page, jar, report));
  define("document", documentOf(jar, page, messages));
  define("WebSocket", webSocketFrom(page, jar, report));
}

// Newer Node versions have some of these as getters, which an assignment would not replace.
function define(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

function locationOf(page, report) {
  return {
    href: page.href,
    origin: page.origin,
    protocol: page.protocol,
    host: page.host,
    hostname: page.hostname,
    port: page.port,
    pathname: page.pathname,
    search: page.search,
    hash: page.hash,
    assign: (to) => report({ event: "navigate", to: String(to) }),
    reload: () => report({ event: "navigate", to: page.href }),
  };
}

function documentOf(jar, page, messages) {
  return {
    get cookie() {
      return jar.header(page.pathname, { forScripts: true });
    },
    set cookie(text) {
      jar.set(text, page.pathname);
    },
    createElement: () => ({ style: {} }),
    body: {
      appendChild: (frame) => openFrame(frame, page, messages),
      removeChild: () => {},
    },
  };
}

// A hidden frame: it follows one redirect, and the page that it lands on tells its parent what it was sent,
// as the `oauth-resp.html` of every PlaceOS app does.
async function openFrame(frame, page, messages) {
  const answer = await fetch(frame.src, { redirect: "manual" });
  const landed = new URL(answer.headers.get("location") ?? frame.src, page);
  const told = landed.hash.includes("access_token") ? landed.hash.slice(1) : landed.search.slice(1);
  const { code, state, access_token: token, expires_in } = Object.fromEntries(new URLSearchParams(told));
  const message = new Event("message");
  const data = token ? { type: "place-os", token, expires_in } : { type: "place-os", code, state };
  messages.dispatchEvent(Object.assign(message, { origin: landed.origin, data }));
}

function fetchFrom(page, jar, report) {
  const fetchOfNode = globalThis.fetch;
  return async (input, init = {}) => {
    const request = new Request(input instanceof Request ? input : new URL(input, page), init);
    const { pathname, search } = new URL(request.url);
    const path = pathname + search;
    report({ event: "http", method: request.method, path });
    const cookies = jar.header(pathname);
    if (cookies) request.headers.set("cookie", cookies);
    // As a browser does: a read of its own origin names none.
    if (!["GET", "HEAD"].includes(request.method)) request.headers.set("origin", page.origin);
    const response = await fetchOfNode(request);
    response.headers.getSetCookie().forEach((cookie) => jar.set(cookie, pathname));
    report({ event: "http_reply", path, status: response.status });
    return response;
  };
}

function webSocketFrom(page, jar, report) {
  let sockets = 0;
  return class extends WsSocket {
    #number = (sockets += 1);

    constructor(url, protocols = []) {
      const { pathname, search } = new URL(url);
      const cookie = jar.header(pathname);
      super(url, protocols, { origin: page.origin, headers: cookie ? { cookie } : {} });
      const socket = this.#number;
      report({ event: "socket", socket, path: pathname + search, cookie: cookie || null });
      // The page's own handlers come later, so each report precedes whatever the page does about it.
      this.addEventListener("open", () => report({ event: "socket_open", socket }));
      this.addEventListener("message", ({ data }) => report({ event: "received", socket, frame: frameOf(data) }));
      this.addEventListener("error", ({ message }) => report({ event: "socket_error", socket, message }));
      this.addEventListener("close", ({ code, reason, wasClean }) =>
        report({ event: "socket_close", socket, code, reason, clean: wasClean }),
      );
    }

    send(data) {
      report({ event: "sent", socket: this.#number, frame: frameOf(data) });
      super.send(data);
    }
  };
}

// A frame as a test wants to look at it: the JSON value, or the text when it is none.
function frameOf(data) {
  try {
    return JSON.parse(data);
  } catch {
    return String(data);
  }
}

// Cookies that scripts and answers set; what decides when one is sent or seen is honoured: `path`, `max-age` and `httponly`.
class CookieJar {
  #cookies = new Map();

  set(text, pagePath) {
    const [pair, ...rest] = text.split(";").map((part) => part.trim());
    const attributes = new Map(rest.map((part) => splitAt(part, "=")).map(([name, value]) => [name.toLowerCase(), value]));
    const [name, value] = splitAt(pair, "=");
    const path = attributes.get("path") || pagePath;
    const seconds = attributes.has("max-age") ? Number(attributes.get("max-age")) : Infinity;
    const hidden = attributes.has("httponly");
    this.#cookies.set(`${path} ${name}`, { name, value, path, hidden, expires: Date.now() + seconds * 1000 });
  }

  header(path, { forScripts = false } = {}) {
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.expires > Date.now() && covers(cookie.path, path))
      .filter((cookie) => !(forScripts && cookie.hidden))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }
}

// A cookie's path covers itself and what lies below it, at a slash: `/auth` does not cover `/authority`.
function covers(cookiePath, path) {
  return path === cookiePath || path.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`);
}

function splitAt(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

class MemoryStorage {
  #items = new Map();

  get length() {
    return this.#items.size;
  }

  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(name) {
    return this.#items.get(String(name)) ?? null;
  }

  setItem(name, value) {
    this.#items.set(String(name), String(value));
  }

  removeItem(name) {
    this.#items.delete(String(name));
  }

  clear() {
    this.#items.clear();
  }
}
