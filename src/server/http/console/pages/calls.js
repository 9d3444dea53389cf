// The requests of the websocket that wait for an answer.

/** How long a call may take. The gateway itself answers after 15 seconds at most. */
const CALL_DEADLINE = 30_000;

/** What the gateway refuses a request with, or why there is no answer. */
export class Failed extends Error {}

/** @type {Map<number, {resolve: Function, reject: Function, timer: number}>} */
const waiting = new Map();

/** The answer to a request that was just sent. @returns {Promise<unknown>} */
export function answerTo(id) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(id, "No answer has come. The call may have run."), CALL_DEADLINE);
    waiting.set(id, { resolve, reject, timer });
  });
}

/** The request has given this. */
export function succeed(id, value) {
  taken(id)?.resolve(value);
}

/** The request has failed. */
export function fail(id, why) {
  taken(id)?.reject(new Failed(why));
}

/** None of them will be answered. */
export function failAll(why) {
  for (const id of [...waiting.keys()]) fail(id, why);
}

function taken(id) {
  const waits = waiting.get(id);
  waiting.delete(id);
  clearTimeout(waits?.timer);
  return waits;
}
