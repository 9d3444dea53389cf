// The `WebSocket` and the `fetch` of a page, for Node, which report all that goes through them.
//
// A library written for pages runs on them unmodified; "what did the real client do next?" is what a test wants to know.

import { WebSocket as WsSocket } from "ws";

// Puts both in their places. `report` gets one plain object for each thing that happens.
export function observeNetwork(report) {
  globalThis.WebSocket = webSocketFor(report);
  globalThis.fetch = fetchFor(report);
}

function fetchFor(report) {
  const fetchOfNode = globalThis.fetch;
  return async (input, init) => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname;
    const type = request.headers.get("content-type")?.split(";")[0] ?? null;
    report({ event: "http", method: request.method, path, type });
    const response = await fetchOfNode(request);
    report({ event: "http_reply", path, status: response.status });
    return response;
  };
}

function webSocketFor(report) {
  let sockets = 0;
  return class extends WsSocket {
    #number = (sockets += 1);

    constructor(url, protocols = []) {
      super(url, protocols);
      const socket = this.#number;
      report({ event: "socket", socket, path: new URL(url).pathname });
      // The library's own handlers come later, so each report precedes whatever it does about it.
      this.addEventListener("open", () => report({ event: "socket_open", socket }));
      this.addEventListener("message", ({ data }) => report({ event: "received", socket, frame: frameOf(data) }));
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
