// A field that is made of parts, such as the conditions of a trigger: each part is a row of inputs, and what is wrong with it stands in its row.

import { button, el, fill, fresh } from "./dom.js";

/**
 * @typedef {object} Column one input of a row
 * @property {string} path where its value stands in the part
 * @property {string} label
 * @property {Record<string, string>} [choices] the words to choose from, by their values
 * @property {string} [type] of the input, where it is not a text
 * @property {string} [step] of such an input
 * @property {(value: unknown) => string} [write]
 * @property {(text: string) => unknown} [read] throws when the text is none
 * @property {boolean} [isOptional] an empty text leaves it out
 * @property {Record<string, string>} [only] the values of others with which it counts
 * @property {(room: string, row: Row) => Promise<string[]>} [known] what there is to choose from, which need not be all
 *
 * @typedef {{name: string, one: string, columns: Column[]}} List parts of one kind, and where they stand in the value
 */

/** What a part cannot be. */
class Wrong extends Error {
  constructor(message, path) {
    super(message);
    this.path = path;
  }
}

/**
 * @param {string} name
 * @param {List[]} lists
 * @param {object | undefined} value
 * @param {() => string} room whose modules are meant
 */
export function partsField(name, lists, value, room) {
  const problem = el("span.problem", { role: "alert" });
  const groups = lists.map((list) => new Group(list, room));
  const restore = (texts) => groups.forEach((group, at) => group.put(JSON.parse(texts)[at] ?? []));
  const text = () => JSON.stringify(groups.map((group) => group.texts()));
  for (const group of groups) group.put((value?.[group.name] ?? []).map((part) => group.write(part)));
  const initial = text();
  const title = name.replaceAll("_", " ");
  return {
    name,
    element: el("fieldset.whole", {}, el("legend", {}, title), groups.map((group) => group.element), problem),
    isChanged: () => text() !== initial,
    text,
    restore,
    read: () => Object.fromEntries(groups.map((group) => [group.name, group.read()])),
    isWrong: () => problem.textContent !== "" || groups.some((group) => group.wrong()),
    focus: () => (groups.map((group) => group.wrong()).find(Boolean) ?? groups[0].adds).focus(),
    say(reason, path = "") {
      problem.textContent = "";
      if (reason === "") return groups.forEach((group) => group.clear());
      const [, list, at, inside] = /^\.?(\w+)\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
      const row = groups.find((group) => group.name === list)?.rows[at];
      if (row) row.say(reason, inside);
      else problem.textContent = `${path.replace(/^\./, "")} ${reason}`.trim();
    },
  };
}

/** The parts of one kind. */
class Group {
  constructor({ name, one, columns }, room) {
    Object.assign(this, { name, one, columns, room });
    /** @type {Row[]} */
    this.rows = [];
    this.place = el("div");
    this.adds = button(`Add a ${one}`, () => {
      this.add({});
      this.rows.at(-1).focus();
      this.#changed();
    });
    this.element = el("div", {}, this.place, this.adds);
  }

  add(texts) {
    const row = new Row(this, texts, () => {
      this.rows = this.rows.filter((other) => other !== row);
      row.element.remove();
      this.adds.focus();
      this.#changed();
    });
    this.rows.push(row);
    this.place.append(row.element);
  }

  /** What listens for typing is to hear of a row that has come or gone, too. */
  #changed() {
    this.place.dispatchEvent(new Event("input", { bubbles: true }));
  }

  put(all) {
    this.rows = [];
    fill(this.place);
    for (const texts of all) this.add(texts);
  }

  texts() {
    return this.rows.map((row) => row.texts());
  }

  write(part) {
    const written = this.columns.map(({ path, write = (value) => value ?? "" }) => [path, write(path.split(".").reduce((inside, key) => inside?.[key], part))]);
    return Object.fromEntries(written);
  }

  read() {
    return this.rows.map((row, at) => row.read(`${this.name}[${at}]`));
  }

  wrong() {
    return this.rows.map((row) => row.wrong()).find(Boolean);
  }

  clear() {
    for (const row of this.rows) row.clear();
  }
}

/** One part. */
class Row {
  constructor({ one, columns, room }, texts, remove) {
    this.columns = columns;
    this.problem = el("span.problem", { id: fresh("part"), role: "alert" });
    this.inputs = new Map(columns.map((column) => [column.path, this.#input(column, texts[column.path], room)]));
    this.labels = columns.map((column) => el("label", {}, column.label, this.inputs.get(column.path)));
    this.element = el("fieldset.part", { onchange: () => this.#narrow() }, el("legend", {}, one), this.labels, button("Remove", remove, { "aria-label": `Remove this ${one}` }), this.problem);
    this.#narrow();
  }

  #input({ choices, type = "text", step, known }, text, room) {
    const described = { "aria-describedby": this.problem.id };
    if (choices) {
      const input = el("select", described, Object.entries(choices).map(([value, label]) => el("option", { value }, label)));
      if (text) input.value = text;
      return input;
    }
    const input = el("input", { type, step, dir: "auto", autocomplete: "off", spellcheck: false, value: text ?? "", ...described });
    if (known) suggest(input, async () => (room() ? known(room(), this) : []));
    return input;
  }

  /** Leaves the inputs that count. */
  #narrow() {
    this.columns.forEach((column, at) => {
      this.labels[at].hidden = !this.#counts(column);
    });
  }

  #counts({ only = {} }) {
    return Object.entries(only).every(([path, value]) => this.text(path) === value);
  }

  text(path) {
    return this.inputs.get(path).value;
  }

  texts() {
    return Object.fromEntries([...this.inputs].map(([path, input]) => [path, input.value]));
  }

  /** The part. Throws what is wrong with it, by where it stands. */
  read(place) {
    const part = {};
    for (const column of this.columns) {
      const text = this.text(column.path);
      if (!this.#counts(column) || (column.isOptional && text.trim() === "")) continue;
      try {
        put(part, column.path.split("."), column.read ? column.read(text) : text.trim());
      } catch (error) {
        throw new Wrong(error.message, `${place}.${column.path}`);
      }
    }
    return part;
  }

  say(reason, path) {
    const column = this.columns.find((one) => path === one.path || path.startsWith(`${one.path}.`));
    const about = column ? column.label.split(",")[0] : path;
    this.problem.textContent = `${about} ${reason}`.trim();
    (this.inputs.get(column?.path) ?? this.inputs.values().next().value).setAttribute("aria-invalid", "true");
  }

  wrong() {
    return [...this.inputs.values()].find((input) => input.getAttribute("aria-invalid") === "true");
  }

  clear() {
    this.problem.textContent = "";
    for (const input of this.inputs.values()) input.removeAttribute("aria-invalid");
  }

  focus() {
    this.inputs.values().next().value.focus();
  }
}

/** Offers what there is when somebody comes to an input. What cannot be asked is not offered. */
function suggest(input, known) {
  const offered = el("datalist", { id: fresh("known") });
  input.setAttribute("list", offered.id);
  input.addEventListener("focus", async () => {
    if (!offered.isConnected) input.after(offered);
    const names = await known().catch(() => []);
    fill(offered, names.map((value) => el("option", { value })));
  });
}

function put(part, [key, ...deeper], value) {
  if (deeper.length === 0) part[key] = value;
  else put((part[key] ??= {}), deeper, value);
}
