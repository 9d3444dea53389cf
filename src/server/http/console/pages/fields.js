// One field of an entry, by its schema in the gateway's specification.

import { listsOf } from "./conditions.js";
import { el, fresh } from "./dom.js";
import { parse } from "./exact.js";
import { REFERENCES, idOf, nameOf } from "./kinds.js";
import { partsField } from "./parts.js";
import { MOMENT, toLocal, toSeconds } from "./times.js";

/** Texts of several lines. */
const LONG = new Set(["description", "notes", "misc"]);

/** What the gateway never tells, so an empty field leaves it as it is. */
const UNTOLD = new Set(["password", "settings"]);

/** What may be secret, so it is not kept when it was typed and not saved. */
export const SECRET = new Set([...UNTOLD, "header"]);

/** What is a text, though the specification says no more than that it is something. */
const TEXTS = new Set(["call"]);

/**
 * @param {string} name
 * @param {object} schema
 * @param {unknown} value what the entry has
 * @param {object[] | undefined} others the entries that it may name
 * @param {() => string} room the room that the form names at the moment
 */
export function entryField(name, schema, value, others, room) {
  const lists = listsOf(schema);
  if (lists) return partsField(name, lists, value, room);
  const id = fresh("field");
  const carrier = carrierOf(name, schema, others);
  const { input } = carrier;
  input.id = id;
  input.name = name;
  const problem = el("span.problem", { id: `${id}-problem`, role: "alert" });
  const help = el("span.help", { id: `${id}-help` }, helpFor(name, schema));
  input.setAttribute("aria-describedby", `${id}-help ${id}-problem`);
  const initial = UNTOLD.has(name) ? "" : carrier.write(value);
  set(input, initial);
  const say = (reason, place = "") => {
    problem.textContent = `${lineText(place)}${reason}`;
    input.setAttribute("aria-invalid", String(reason !== ""));
  };
  return {
    name,
    element: el("div", {}, el("label", { htmlFor: id }, name.replaceAll("_", " "), input), carrier.beside ?? null, help, problem),
    isChanged: () => textIn(input) !== initial,
    text: () => textIn(input),
    restore: (text) => set(input, text),
    /** The value for the gateway. Throws when the text is none. */
    read: () => carrier.read(textIn(input)),
    isWrong: () => problem.textContent !== "",
    focus: () => input.focus(),
    /** Says why it cannot be, and where in it; nothing when it can. */
    say,
  };
}

/** A field of texts has one a line, which the gateway counts from 0. */
function lineText(place) {
  const [, at] = /^\[(\d+)\]/.exec(place) ?? [];
  return at === undefined ? "" : `Line ${Number(at) + 1}: `;
}

const textIn = (input) => (input.type === "checkbox" ? String(input.checked) : input.value);

function set(input, text) {
  if (input.type === "checkbox") input.checked = text === "true";
  else input.value = text;
}

function helpFor(name, schema) {
  const kept = UNTOLD.has(name) ? " Empty leaves it as it is." : "";
  const lines = isTexts(schema) ? " One a line." : "";
  return `${schema.description ?? ""}${lines}${kept}`;
}

const types = (schema) => [schema.type].flat();
const isTexts = (schema) => types(schema).includes("array") && schema.items?.type === "string";

/** What carries the value, and how it is written and read. */
function carrierOf(name, schema, others) {
  const orNull = (text, read) => (text.trim() === "" ? null : read(text));
  if (isTexts(schema)) return linesOf(name, others);
  if (types(schema).includes("boolean")) {
    return { input: el("input", { type: "checkbox" }), write: (value) => String(value === true), read: (text) => text === "true" };
  }
  if (schema.enum || (REFERENCES[name] && others)) {
    return { input: choice(schema, others), write: (value) => value ?? "", read: (text) => orNull(text, String) };
  }
  if (name === "expires_at") return { input: el("input", MOMENT), write: toLocal, read: (text) => orNull(text, toSeconds) };
  if (types(schema).includes("integer") || types(schema).includes("number")) {
    const input = el("input", { type: "text", inputMode: "numeric", autocomplete: "off" });
    return { input, write: (value) => (value === null || value === undefined ? "" : String(value)), read: (text) => orNull(text, toNumber) };
  }
  if (types(schema).includes("string") || TEXTS.has(name)) {
    const isLong = LONG.has(name);
    const kind = name === "password" ? "password" : "text";
    const input = isLong ? el("textarea", { rows: 2, dir: "auto" }) : el("input", { type: kind, dir: "auto", autocomplete: name === "password" ? "new-password" : "off" });
    return { input, write: (value) => value ?? "", read: (text) => orNull(text, String) };
  }
  const input = el("textarea", { rows: 3, spellcheck: false });
  return { input, write: (value) => (value === null || value === undefined ? "" : JSON.stringify(value, null, 1)), read: (text) => orNull(text, toJson) };
}

function linesOf(name, others) {
  const input = el("textarea", { rows: 3, spellcheck: false });
  const read = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  const add = others && el("select", { "aria-label": `Add to ${name}` }, el("option", { value: "" }, "Add…"), others.map(option));
  add?.addEventListener("change", () => {
    input.value = [...read(input.value), add.value].filter(Boolean).join("\n");
    add.value = "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return { input, beside: add, write: (value) => (value ?? []).join("\n"), read };
}

function choice(schema, others) {
  const words = (schema.enum ?? []).filter((one) => one !== null).map((one) => el("option", {}, one));
  return el("select", {}, el("option", { value: "" }, "—"), others ? others.map(option) : words);
}

const option = (entry) => el("option", { value: idOf(entry) }, `${nameOf(entry).slice(0, 80)} · ${idOf(entry)}`);

function toNumber(text) {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error("has to be a number");
  return value;
}

function toJson(text) {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`is no JSON: ${error.message}`);
  }
}
