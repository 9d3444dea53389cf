// One entry as a form. What is typed is kept until it is saved, also when the page is left or the sign-in ends.

import { BASE } from "./base.js";
import { button, el, fill } from "./dom.js";
import { confirmed, showSecret } from "./dialogs.js";
import { SECRET, entryField } from "./fields.js";
import { KINDS, REFERENCES, idOf, nameOf } from "./kinds.js";
import { getTagged, list, patch, post, remove, word } from "./rest.js";
import { bad, good } from "./toasts.js";

/** The id in the address of an entry that is still to be made. */
const NEW = "new";

let specification = null;

/** The fields of a kind of document, by name. */
async function schemaOf(name) {
  specification ??= fetch(`${BASE}api/openapi.json`).then((answer) => answer.json());
  return (await specification).components.schemas[name].properties;
}

export async function openEntry(place, kind, id, { left }) {
  const about = KINDS[kind];
  const isNew = id === NEW;
  const [schema, { value: entry, tag }] = await Promise.all([
    schemaOf(about.schema),
    isNew ? { value: {}, tag: null } : getTagged(`${kind}/${word(id)}`),
  ]);
  const names = ordered(about, Object.keys(schema), isNew);
  const others = await referred(names);
  if (left.aborted) return;
  const room = () => fields.find(({ name }) => name === "control_system_id")?.text() ?? "";
  const fields = names.map((name) => entryField(name, schema[name], entry[name], others[REFERENCES[name]], room));
  const draft = new Draft(`${kind}/${id}`, fields);
  const general = el("p.problem", { role: "alert" });
  const save = el("button.main", { type: "submit" }, isNew ? `Make the ${about.one}` : "Save");
  const onsubmit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    await send({ kind, id, tag, isNew, fields, general, draft });
    save.disabled = false;
  };
  // A form that cannot say all of an entry would take the rest away.
  const isWhole = entry.shown_in_full !== false;
  const form = el(
    "form",
    { onsubmit, oninput: () => draft.keep() },
    el("fieldset.bare", { disabled: !isWhole }, shownFields(fields, firstMany(about, names))),
    general,
    el("div.row", {}, isWhole && save, !isNew && button("Remove", () => takeAway(kind, entry, draft), { className: "danger" })),
  );
  const title = isNew ? `New ${about.one}` : nameOf(entry);
  const [seenAt, seen] = (!isNew && about.seen?.(entry)) || [];
  fill(
    place,
    el("p", {}, el("a", { href: `#/edit/${kind}` }, `← ${about.many}`)),
    el("h1", { dir: "auto" }, title),
    seenAt && el("p", {}, el("a", { href: seenAt }, seen)),
    isWhole ? draft.restored() : el("p.warn", {}, `This ${about.one} says more than fits here, which is left out below. Change it in the building file.`),
    form,
  );
}

/** The fields that people need first, and the others behind them. */
function shownFields(fields, many) {
  const [first, more] = [fields.slice(0, many), fields.slice(many)].map((some) => some.map(({ element }) => element));
  return [
    el("div.fields", {}, first),
    more.length > 0 && el("details", {}, el("summary", {}, "More fields"), el("div.fields", {}, more)),
  ];
}

function ordered(about, all, isNew) {
  const shown = all.filter((name) => isNew || !(about.whenNew ?? []).includes(name));
  const first = about.first.filter((name) => shown.includes(name));
  return [...first, ...shown.filter((name) => !first.includes(name))];
}

const firstMany = (about, names) => names.filter((name) => about.first.includes(name)).length;

/** The entries that fields may name; none where the user may not see them. */
async function referred(names) {
  const kinds = [...new Set(names.map((name) => REFERENCES[name]).filter(Boolean))];
  const lists = await Promise.all(kinds.map((kind) => list(kind).catch(() => null)));
  return Object.fromEntries(kinds.map((kind, at) => [kind, lists[at] ?? undefined]));
}

async function send({ kind, id, tag, isNew, fields, general, draft }) {
  general.textContent = "";
  const body = {};
  let isWrong = false;
  for (const field of fields) {
    field.say("");
    if (!field.isChanged()) continue;
    try {
      body[field.name] = field.read();
    } catch (error) {
      field.say(error.message, error.path);
      isWrong = true;
    }
  }
  if (isWrong) {
    toFirstWrong(fields);
    return;
  }
  try {
    const made = isNew ? await post(kind, body) : await patch(`${kind}/${word(id)}`, body, tag);
    draft.drop();
    if (made.x_api_key) await showSecret(made.x_api_key);
    good(isNew ? `${nameOf(made)} is made.` : `${nameOf(made)} is saved.`);
    if (isNew) location.hash = `#/edit/${kind}/${word(idOf(made))}`;
    else dispatchEvent(new HashChangeEvent("hashchange"));
  } catch (error) {
    say(error, fields, general);
  }
}

/** Says what was refused beside the fields, and the rest below them. */
function say(error, fields, general) {
  const rest = [];
  for (const { field: name, reason } of error.failures ?? []) {
    // A failure inside of a field, such as `zones[1]`, is that field's.
    const [outer] = name.split(/[.[]/);
    const field = fields.find((one) => one.name === outer);
    if (field) field.say(reason, name.slice(outer.length));
    else rest.push(`${name} ${reason}`);
  }
  const isSaid = toFirstWrong(fields);
  general.textContent = isSaid && rest.length === 0 ? "" : rest.join("; ") || error.message;
}

/** @returns {boolean} whether there is one */
function toFirstWrong(fields) {
  const first = fields.find((field) => field.isWrong());
  first?.element.closest("details")?.setAttribute("open", "");
  first?.focus();
  return Boolean(first);
}

async function takeAway(kind, entry, draft) {
  if (!(await confirmed(`Remove ${nameOf(entry)}?`, "This cannot be undone.", "Remove"))) return;
  try {
    await remove(`${kind}/${word(idOf(entry))}`);
    draft.drop();
    good(`${nameOf(entry)} is removed.`);
    location.hash = `#/edit/${kind}`;
  } catch (error) {
    bad(error.message);
  }
}

/** What was typed and not saved, kept for this tab. What is secret is not kept. */
class Draft {
  constructor(place, fields) {
    this.key = `riser.console.draft.${place}`;
    this.fields = fields.filter(({ name }) => !SECRET.has(name));
  }

  keep() {
    const changed = this.fields.filter((field) => field.isChanged());
    const texts = Object.fromEntries(changed.map((field) => [field.name, field.text()]));
    if (changed.length > 0) sessionStorage.setItem(this.key, JSON.stringify(texts));
    else this.drop();
  }

  drop() {
    sessionStorage.removeItem(this.key);
  }

  /** Fills in what is kept, and says so. */
  restored() {
    const kept = JSON.parse(sessionStorage.getItem(this.key) ?? "null");
    if (!kept) return null;
    for (const field of this.fields) if (field.name in kept) field.restore(kept[field.name]);
    const discard = () => {
      this.drop();
      dispatchEvent(new HashChangeEvent("hashchange"));
    };
    return el("p.row.warn", {}, "What you typed before and did not save is here again.", button("Discard it", discard));
  }
}
