// Elements. Whatever comes from outside becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. Properties that begin with `on` listen, those of the element are set, all others are attributes.
 * @param {string} name with classes behind points, as in `p.note`
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length > 0) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && key !== "list" && key !== "form") made[key] = value;
    else made.setAttribute(key, value);
  }
  add(made, children);
  return made;
}

/** Makes an element of a picture. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  add(made, children);
  return made;
}

function add(parent, children) {
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) parent.append(child);
  }
}

/** Puts these in the place of all that an element has. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  add(parent, children);
}

/** A number that no other element of this page has, for `id`. */
export function fresh(prefix) {
  fresh.last = (fresh.last ?? 0) + 1;
  return `${prefix}-${fresh.last}`;
}

/** A button. */
export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", onclick, ...properties }, text);
}

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

/** The last second that was written, since thousands of lines may come within one. */
let written = { second: 0, text: "" };

/** The time of day, to the second. */
export function clock(time) {
  const second = Math.floor(time / 1000);
  if (second !== written.second) written = { second, text: TIME.format(time) };
  return written.text;
}
