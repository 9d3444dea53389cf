// Where the gateway is. The console stands directly below its base path.

/** The path in front of everything, with a slash at its end. */
export const BASE = new URL("../", import.meta.url).pathname;

/** The page itself, as the sign-in sends a browser back to it. */
export const HERE = new URL("./", import.meta.url).href;

/** What stands in front of PlaceOS's resources. */
export const ENGINE = `${BASE}api/engine/v2/`;

/** Where PlaceOS's websocket is. */
export const CONTROL = `${ENGINE}systems/control`;

/**
 * The address of a websocket on this gateway.
 * @param {string} path from the root, with its query
 */
export function socketAddress(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${path}`;
}
