// What the conditions and the actions of a trigger are made of, in PlaceOS's form.

import { parse } from "./exact.js";
import { get, word } from "./rest.js";
import { MOMENT, toLocal, toSeconds } from "./times.js";
import { places } from "./zones.js";

/** PlaceOS's words for how a status compares, and what people call them. */
export const OPERATORS = {
  equal: "is",
  not_equal: "is not",
  greater_than: "is more than",
  greater_than_or_equal: "is at least",
  less_than: "is less than",
  less_than_or_equal: "is at most",
};

const modules = async (room) => places(await get(`systems/${word(room)}/types`)).map(({ mod, index }) => `${mod}_${index}`);
const statuses = async (room, row) => Object.keys(await get(`systems/${word(room)}/${word(row.text("left.mod"))}`));
const functions = async (room, row) => Object.keys(await get(`systems/${word(room)}/functions/${word(row.text("mod"))}`));

/** What each schema of the specification is made of. @type {Record<string, import("./parts.js").List[]>} */
const LISTS = {
  Conditions: [
    {
      name: "comparisons",
      one: "status",
      columns: [
        { path: "left.mod", label: "Module", known: modules },
        { path: "left.status", label: "Status", known: statuses },
        { path: "operator", label: "Compares", choices: OPERATORS },
        { path: "right", label: "Value", write: constantText, read: constant },
      ],
    },
    {
      name: "time_dependents",
      one: "time",
      columns: [
        { path: "type", label: "Kind", choices: { cron: "again and again", at: "once" } },
        { path: "cron", label: "Rule, such as 0 7 * * 1-5", only: { type: "cron" } },
        { path: "timezone", label: "Time zone, if not the room's", only: { type: "cron" }, isOptional: true },
        { path: "time", label: "Moment", ...MOMENT, only: { type: "at" }, write: toLocal, read: toSeconds },
      ],
    },
  ],
  Actions: [
    {
      name: "functions",
      one: "call",
      columns: [
        { path: "mod", label: "Module", known: modules },
        { path: "method", label: "Function", known: functions },
        { path: "args", label: "Arguments by name, as JSON", write: (value) => (value && Object.keys(value).length > 0 ? JSON.stringify(value) : ""), read: toMembers },
      ],
    },
  ],
};

/** The lists of a schema; nothing where it is another one. */
export function listsOf(schema) {
  const named = (schema.oneOf ?? []).map((one) => one.$ref?.split("/").at(-1));
  return LISTS[named.find((name) => name in LISTS)];
}

const isConstant = (value) => ["string", "number", "boolean"].includes(typeof value) || JSON.isRawJSON?.(value);

/** A text needs quotation marks only where it would be something else without them. */
function constant(text) {
  try {
    const value = parse(text);
    return isConstant(value) ? value : text;
  } catch {
    return text;
  }
}

function constantText(value) {
  if (value === undefined) return "";
  return typeof value === "string" && constant(value) === value ? value : JSON.stringify(value);
}

function toMembers(text) {
  if (text.trim() === "") return {};
  let value = null;
  try {
    value = parse(text);
  } catch {
    // Said below.
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error('have to be a JSON object, such as {"state": true}');
  return value;
}
