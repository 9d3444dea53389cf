// The statuses that the page shows. Changes are told once per animation frame, and never for longer than a frame has time.

/** How much of a frame may go into showing changes, in milliseconds. */
const FRAME_SHARE = 8;

/** How soon a page that nobody sees shows them, in milliseconds. */
const HIDDEN_PAUSE = 500;

/** A status of a module, and who in the page looks at it. */
export class Watch {
  constructor(sys, mod, index, name) {
    Object.assign(this, { sys, mod, index, name });
    /** @type {unknown} absent while nothing has come */
    this.value = undefined;
    /** Whether the value came over a connection that is gone. */
    this.stale = false;
    /** When it changed last, in milliseconds. */
    this.at = 0;
    /** @type {Set<(watch: Watch) => void>} */
    this.lookers = new Set();
  }

  get key() {
    return keyOf(this);
  }

  request(id, cmd) {
    const { sys, mod, index, name } = this;
    return { id, cmd, sys, mod, index, name };
  }
}

/** One text for one status; no part can have the character between. */
export function keyOf({ sys, mod, index, name }) {
  return [sys, mod, index, name].join("\n");
}

/** Those that have changed and were not shown yet. */
const changed = new Set();

let isPlanned = false;

/** Has those who look at it called at the next frame. */
export function tell(watch) {
  changed.add(watch);
  plan();
}

function plan() {
  if (isPlanned) return;
  isPlanned = true;
  // A hidden page has no frames.
  if (document.hidden) setTimeout(show, HIDDEN_PAUSE);
  else requestAnimationFrame(show);
}

function show() {
  isPlanned = false;
  const end = performance.now() + FRAME_SHARE;
  for (const watch of changed) {
    changed.delete(watch);
    for (const looker of watch.lookers) looker(watch);
    if (performance.now() > end) break;
  }
  if (changed.size > 0) plan();
}

// What waits for a frame of a page that is hidden meanwhile would wait until somebody looks again.
document.addEventListener("visibilitychange", () => {
  isPlanned = false;
  if (changed.size > 0) plan();
});
