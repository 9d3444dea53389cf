// One argument of a function as a field of a form: by its type, its default and its choices.

import { el, fresh } from "./dom.js";
import { parse } from "./exact.js";

/** The choice that stands for leaving an argument out. */
const LEFT_OUT = "";

/** @typedef {{value?: unknown, isLeftOut?: boolean, problem?: string}} Read */

/**
 * @param {string} name
 * @param {object} schema with `default` where the argument may be left out
 * @returns {{element: HTMLElement, read: () => Read, focus: () => void}}
 */
export function field(name, schema) {
  const id = fresh("argument");
  const mayBeLeftOut = "default" in schema;
  const input = inputFor(schema, mayBeLeftOut);
  const problem = el("span.problem", { id: `${id}-problem`, role: "alert" });
  const hint = el("span.help", { id: `${id}-help` }, hintFor(schema, mayBeLeftOut));
  input.id = id;
  input.name = name;
  input.setAttribute("aria-describedby", `${id}-help ${id}-problem`);
  const read = () => {
    const found = readFrom(input, schema, mayBeLeftOut);
    problem.textContent = found.problem ?? "";
    input.setAttribute("aria-invalid", String(Boolean(found.problem)));
    return found;
  };
  return { element: el("label", { htmlFor: id }, `${name}`, input, hint, problem), read, focus: () => input.focus() };
}

function inputFor(schema, mayBeLeftOut) {
  const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  if (choices) {
    const empty = mayBeLeftOut ? [el("option", { value: LEFT_OUT }, "default")] : [];
    return el("select", {}, empty, choices.map((choice) => el("option", {}, String(choice))));
  }
  if (schema.type === "integer" || schema.type === "number") {
    return el("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
  }
  if (schema.type === "string") return el("input", { type: "text", dir: "auto", autocomplete: "off" });
  return el("textarea", { rows: 2, spellcheck: false });
}

function hintFor(schema, mayBeLeftOut) {
  const range = [schema.minimum ?? "", schema.maximum ?? ""].join(" to ").trim();
  const parts = [
    schema.title ?? schema.type ?? "JSON",
    /\d/.test(range) ? `from ${range}`.replace("from to", "up to").replace(/ to$/, "") : "",
    mayBeLeftOut ? `default ${JSON.stringify(schema.default)}` : "",
    schema.description ?? "",
  ];
  return parts.filter(Boolean).join(" · ");
}

/** @returns {Read} */
function readFrom(input, schema, mayBeLeftOut) {
  const text = input.value;
  const isText = schema.type === "string" && !schema.enum;
  if (text.trim() === "" && (mayBeLeftOut || !isText)) {
    return mayBeLeftOut ? { value: schema.default, isLeftOut: true } : { problem: "has to be filled in" };
  }
  if (schema.type === "string") return { value: text };
  if (schema.type === "boolean") return { value: text === "true" };
  if (schema.type === "integer" || schema.type === "number") return numberFrom(text.trim(), schema.type);
  try {
    return { value: parse(text) };
  } catch {
    const takesText = (schema.anyOf ?? []).some(({ type }) => type === "string");
    return takesText ? { value: text } : { problem: "is no JSON; a text stands in quotation marks" };
  }
}

/** Whether it is too large or too small is the module's to say. */
function numberFrom(text, type) {
  const value = Number(text);
  if (!Number.isFinite(value)) return { problem: "has to be a number" };
  if (type === "integer" && !Number.isInteger(value)) return { problem: "has to be a whole number" };
  try {
    return { value: parse(text) };
  } catch {
    // Such as 007 or +1, which are no JSON.
    return { value };
  }
}
