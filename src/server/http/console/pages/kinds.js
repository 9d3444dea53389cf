// What can be edited: where each kind of entry is, and which of its fields people need first. All else is said by the gateway's specification.

/**
 * @typedef {object} Kind
 * @property {string} many what people call several of them
 * @property {string} one what they call one
 * @property {string} schema its name in the specification
 * @property {string[]} first the fields that stand in front, in this order
 * @property {string[]} [whenNew] those that a new entry alone has
 * @property {(entry: object) => [string, string]} [seen] where else it is seen, and what that is called
 */

/** @type {Record<string, Kind>} by the word in the path */
export const KINDS = {
  systems: {
    many: "Rooms",
    one: "room",
    schema: "SystemDocument",
    first: ["name", "display_name", "description", "email", "capacity", "bookable", "features", "timezone", "zones", "modules"],
    whenNew: ["id"],
    seen: ({ id }) => [`#/room/${encodeURIComponent(id)}`, "The room as it is now"],
  },
  zones: {
    many: "Zones",
    one: "zone",
    schema: "ZoneDocument",
    first: ["name", "display_name", "description", "tags", "parent_id", "timezone"],
    whenNew: ["id"],
  },
  modules: {
    many: "Modules",
    one: "module",
    schema: "ModuleDocument",
    first: ["driver_id", "custom_name", "control_system_id", "uri", "notes", "settings"],
    whenNew: ["id", "driver_id", "control_system_id"],
  },
  users: {
    many: "Users",
    one: "user",
    schema: "UserDocument",
    first: ["name", "email", "password", "sys_admin", "support", "groups"],
    whenNew: ["id"],
  },
  api_keys: {
    many: "API keys",
    one: "API key",
    schema: "KeyDocument",
    first: ["name", "description", "user_id", "permissions", "scopes", "systems", "zones", "expires_at", "fixed_device"],
    whenNew: ["id"],
  },
  triggers: {
    many: "Triggers",
    one: "trigger",
    schema: "TriggerDocument",
    first: ["name", "control_system_id", "conditions", "actions", "debounce_period", "enable_webhook"],
    whenNew: ["id"],
    seen: ({ id }) => [`#/trigger/${encodeURIComponent(id)}`, "When it fired, and what it did"],
  },
  procedures: {
    many: "Procedures",
    one: "procedure",
    schema: "ProcedureDocument",
    first: ["id", "parameters", "steps"],
    whenNew: ["id"],
  },
  hooks: {
    many: "Hooks",
    one: "hook",
    schema: "HookDocument",
    first: ["name", "methods", "header", "run", "call", "args", "level", "respond"],
    whenNew: ["name"],
  },
};

/** Fields that name other entries, by where those are listed. */
export const REFERENCES = {
  zones: "zones",
  parent_id: "zones",
  modules: "modules",
  driver_id: "drivers",
  control_system_id: "systems",
  systems: "systems",
  user_id: "users",
  run: "procedures",
};

/** What stands for an entry in a path. A hook has its name alone. */
export const idOf = (entry) => entry.id ?? entry.name;

/** What people call an entry of any kind. */
export function nameOf(entry) {
  const name = entry.display_name || entry.custom_name || entry.name || idOf(entry);
  return entry.email && entry.email !== name ? `${name} (${entry.email})` : name;
}
