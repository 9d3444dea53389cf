// Requests to PlaceOS's resources. One whose credentials have ended waits for somebody to sign in again, and is sent once more then.

import { ENGINE } from "./base.js";
import { parse } from "./exact.js";
import { headers, renew } from "./session.js";
import { signInAgain } from "./signin.js";

/** How many entries of a list are asked for at a time: as many as the gateway gives. */
const PAGE = 10_000;

/** An answer that is no success. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {{field: string, reason: string}[]} failures by field, where the gateway says so
   */
  constructor(status, message, failures = []) {
    super(message);
    this.status = status;
    this.failures = failures;
  }
}

/**
 * @param {string} path below PlaceOS's resources
 * @param {{method?: string, body?: unknown, tag?: string | null}} [options]
 */
async function ask(path, { method = "GET", body, tag } = {}) {
  const send = () =>
    fetch(`${ENGINE}${path}`, {
      method,
      headers: {
        ...headers(),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(tag ? { "If-Match": tag } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  let answer = await send();
  // A 401 says that nothing was done, so it can be sent again.
  if (answer.status === 401 && (await renew())) answer = await send();
  while (answer.status === 401) {
    await signInAgain();
    answer = await send();
  }
  const text = await answer.text();
  const found = parsed(text);
  if (!answer.ok) throw refusal(answer.status, found);
  return { value: found, tag: answer.headers.get("ETag") };
}

function parsed(text) {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

function refusal(status, found) {
  const words = {
    403: "You may not do this.",
    412: "Somebody else has changed this meanwhile. Load it again.",
    503: "The gateway cannot do this at the moment.",
  };
  const said = found?.message ?? found?.error;
  return new Refused(status, said || words[status] || `The gateway answers ${status}.`, found?.failures ?? []);
}

/** The value of a resource. */
export const get = async (path) => (await ask(path)).value;

/** The value of a resource with its tag, by which a change says on what it counts. */
export const getTagged = (path) => ask(path);

/** A whole list. */
export const list = (path) => get(`${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}`);

export const post = async (path, body) => (await ask(path, { method: "POST", body })).value;

export const patch = async (path, body, tag) => (await ask(path, { method: "PATCH", body, tag })).value;

export const remove = async (path) => (await ask(path, { method: "DELETE" })).value;

/** A word as it stands in a path. */
export const word = encodeURIComponent;
