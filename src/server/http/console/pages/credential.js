// How a websocket says who opens it: scripts can give it no header.

import { CONTROL } from "./base.js";
import { socketCredential } from "./session.js";

/** For how many seconds the browser keeps it: as long as it takes to connect. */
const COOKIE_SECONDS = 30;

/** Has the next websocket say who opens it: by a cookie for its path alone, which stands in no address and so in no log of a proxy. */
export function showCredential() {
  hideCredential();
  const shown = socketCredential();
  if (shown) setCookie(...shown, COOKIE_SECONDS);
}

/** Takes it away again. */
export function hideCredential() {
  for (const name of ["api-key", "bearer_token"]) setCookie(name, "", 0);
}

function setCookie(name, value, seconds) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${name}=${value};max-age=${seconds};path=${CONTROL};samesite=strict${secure}`;
}
