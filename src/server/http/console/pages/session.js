// Who looks at the console: a token of a sign-in, which is renewed by itself, or an API key. Kept for this tab alone.

import { BASE, HERE } from "./base.js";
import { sha256 } from "./sha256.js";

const KEPT = "riser.console.credentials";

/** What this app is called where it signs in. */
const CLIENT = "riser-console";

/** How long before its end a token is renewed, in milliseconds. */
const RENEW_BEFORE = 60_000;

/** @typedef {{kind: "key", key: string} | {kind: "token", access: string, refresh: string | null, ends: number}} Credentials */

/** @type {Credentials | null} */
let credentials = read();

/** The renewal that is under way, which all who need it share. */
let renewing = null;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

function keep(found) {
  credentials = found;
  if (found) sessionStorage.setItem(KEPT, JSON.stringify(found));
  else sessionStorage.removeItem(KEPT);
}

/** The headers by which a request says who sends it. */
export function headers() {
  if (credentials?.kind === "key") return { "X-API-Key": credentials.key };
  if (credentials?.kind === "token") return { Authorization: `Bearer ${credentials.access}` };
  return {};
}

/** What a websocket shows, as the name and the value of a cookie. */
export function socketCredential() {
  if (credentials?.kind === "key") return ["api-key", credentials.key];
  if (credentials?.kind === "token") return ["bearer_token", credentials.access];
  return null;
}

/** Whether there is something to show. */
export function isKnown() {
  return credentials !== null;
}

/** Takes an API key. Whether it is good shows at the first request. */
export function useKey(key) {
  keep({ kind: "key", key });
}

/** Forgets what there is. */
export function forget() {
  keep(null);
}

/** Takes up what the tab or the browser's session has. @returns {Promise<boolean>} whether there was something */
export async function resume() {
  if (credentials?.kind === "key") return true;
  if (credentials && credentials.ends - Date.now() > RENEW_BEFORE) return true;
  return renew();
}

/** Gets a new token by the old one or by the browser's session. @returns {Promise<boolean>} whether there is one now */
export function renew() {
  renewing ??= renewed().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renewed() {
  if (credentials?.kind === "key") return false;
  const refresh = credentials?.refresh;
  const found = (refresh && (await byRefreshToken(refresh))) || (await bySession());
  if (found) keep(found);
  return Boolean(found);
}

/** Renews a token in time, as long as the page is open. */
export function renewInTime() {
  setInterval(() => {
    const isToken = credentials?.kind === "token";
    if (isToken && credentials.ends - Date.now() < 2 * RENEW_BEFORE) renew().catch(() => {});
  }, RENEW_BEFORE);
}

/**
 * Signs the browser in, and gets a token by that.
 * @returns {Promise<string | null>} why not; `null` if it has worked
 */
export async function signIn(email, password) {
  const body = new URLSearchParams({ email, password });
  const answer = await fetch(`${BASE}auth/signin`, { method: "POST", body });
  if (answer.status === 429) return "Too many tries have failed. Wait a moment.";
  if (!answer.ok) return "That email and password do not fit.";
  keep(null);
  return (await renew()) ? null : "The sign-in gave no token.";
}

/** Signs the browser in by the secret that the demo has printed. @returns {Promise<boolean>} whether it has worked */
export async function signInOnce(secret) {
  const answer = await fetch(`${BASE}auth/once`, { method: "POST", body: new URLSearchParams({ token: secret }) });
  if (!answer.ok) return false;
  keep(null);
  return renew();
}

/** Ends the sign-in here and on the gateway. */
export async function signOut() {
  const isKey = credentials?.kind === "key";
  const shown = headers();
  keep(null);
  // A key is no sign-in, and others may use it.
  if (isKey) return;
  // The answer leads to a page that nobody looks at.
  await fetch(`${BASE}auth/logout`, { method: "POST", headers: shown, redirect: "manual" }).catch(() => {});
}

/** OAuth 2's code flow with PKCE. The redirect is followed by script, so the page and what is typed into it stay. */
async function bySession() {
  const verifier = encoded(crypto.getRandomValues(new Uint8Array(48)));
  const state = encoded(crypto.getRandomValues(new Uint8Array(16)));
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: HERE,
    scope: "public",
    state,
    prompt: "none",
    code_challenge_method: "S256",
    code_challenge: encoded(sha256(new TextEncoder().encode(verifier))),
  });
  const answer = await fetch(`${BASE}auth/oauth/authorize?${asked}`);
  const back = new URL(answer.url).searchParams;
  const code = back.get("code");
  if (!code || back.get("state") !== state) return null;
  return token({ grant_type: "authorization_code", code, redirect_uri: HERE, code_verifier: verifier });
}

function byRefreshToken(refresh) {
  return token({ grant_type: "refresh_token", refresh_token: refresh });
}

async function token(parameters) {
  const body = new URLSearchParams({ client_id: CLIENT, ...parameters });
  const answer = await fetch(`${BASE}auth/oauth/token`, { method: "POST", body });
  if (!answer.ok) return null;
  const { access_token: access, refresh_token: refresh, expires_in: seconds } = await answer.json();
  return { kind: "token", access, refresh: refresh ?? null, ends: Date.now() + seconds * 1000 };
}

/** Base64 as it stands in URLs. */
function encoded(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
