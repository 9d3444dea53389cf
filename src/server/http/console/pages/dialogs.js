// Questions and what is shown once, over the page.

import { button, el, fill, fresh } from "./dom.js";

function dialog(title, ...inside) {
  const id = fresh("dialog");
  const made = el("dialog", { "aria-labelledby": id });
  fill(made, el("h2", { id, dir: "auto" }, title), ...inside);
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}

/** Asks before something that cannot be undone. @returns {Promise<boolean>} */
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const yes = button(action, () => made.close("yes"), { className: "danger" });
    const no = button("Cancel", () => made.close());
    const made = dialog(title, el("p", {}, text), el("div.row", {}, no, yes));
    made.addEventListener("close", () => resolve(made.returnValue === "yes"));
  });
}

/** Shows a new secret, which nobody sees again. @returns {Promise<void>} when it is closed */
export function showSecret(secret) {
  return new Promise((resolve) => {
    const text = el("p.mono.secret", { id: "new-secret" }, secret);
    const said = el("p.good", { role: "status" });
    const copy = button("Copy", async () => {
      said.textContent = (await copied(text)) ? "Copied." : "The browser does not let pages copy here: it is selected, so copy it yourself.";
    });
    const close = button("I have kept it", () => made.close(), { className: "main" });
    const made = dialog("The new secret", el("p", {}, "It is shown this once. The gateway keeps a hash of it alone."), text, el("div.row", {}, copy, close), said);
    made.addEventListener("close", () => resolve());
  });
}

async function copied(element) {
  getSelection().selectAllChildren(element);
  try {
    // Only pages that came by TLS or from this machine have a clipboard.
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
