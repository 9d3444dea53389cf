// Signing in: the first view of somebody unknown, and the dialog in which a sign-in is taken up again without losing what is typed.

import { BASE, HERE } from "./base.js";
import { button, el, fill } from "./dom.js";
import { signIn, useKey } from "./session.js";

const PLACE = "riser.console.place";

/** The dialog that is open, which all who wait for it share. */
let again = null;

/** Shows the first view. @param {() => void} done when there are credentials */
export function showSignIn(place, done) {
  const toLogin = () => {
    sessionStorage.setItem(PLACE, location.hash);
    const back = encodeURIComponent(HERE);
    location.assign(`${BASE}login?continue=${back}`);
  };
  const card = el(
    "section.card.narrow",
    {},
    el("h1", {}, "Sign in"),
    el("p", {}, "With the email and password of a user of this gateway:"),
    el("p", {}, button("Sign in", toLogin, { id: "to-login", className: "main" })),
    el("h2", {}, "Or show an API key"),
    keyForm(done),
  );
  fill(place, card);
}

/** The place where somebody was before they went to sign in; once. */
export function placeBefore() {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  return place;
}

/** Asks who it is, over whatever the page shows. @returns {Promise<void>} when there are credentials */
export function signInAgain() {
  again ??= new Promise((resolve) => {
    const dialog = el("dialog", { "aria-labelledby": "again" });
    const done = () => {
      dialog.close();
      dialog.remove();
      again = null;
      resolve();
    };
    // What waits for it has no other way on.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    fill(
      dialog,
      el("h2", { id: "again" }, "Your sign-in has ended"),
      el("p", {}, "Nothing that you typed is lost. Sign in again to go on."),
      passwordForm(done),
      el("h3", {}, "Or show an API key"),
      keyForm(done),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
  return again;
}

function passwordForm(done) {
  const email = el("input", { type: "email", name: "email", autocomplete: "username", required: true });
  const password = el("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const problem = el("p.problem", { role: "alert" });
  const onsubmit = async (event) => {
    event.preventDefault();
    const why = await signIn(email.value, password.value).catch(() => "The gateway does not answer.");
    problem.textContent = why ?? "";
    if (!why) done();
  };
  const labels = [el("label", {}, "Email", email), el("label", {}, "Password", password)];
  return el("form", { onsubmit }, labels, problem, el("button.main", { type: "submit" }, "Sign in"));
}

function keyForm(done) {
  const key = el("input", { type: "password", name: "key", autocomplete: "off", spellcheck: false, required: true });
  const problem = el("p.problem", { role: "alert" });
  const onsubmit = async (event) => {
    event.preventDefault();
    const answer = await fetch(`${BASE}api/engine/v2/users/current`, { headers: { "X-API-Key": key.value.trim() } }).catch(() => null);
    if (!answer?.ok) {
      problem.textContent = answer ? "The gateway does not know this key." : "The gateway does not answer.";
      return;
    }
    useKey(key.value.trim());
    done();
  };
  return el("form", { onsubmit }, el("label", {}, "API key", key), problem, el("button", { type: "submit" }, "Use the key"));
}
