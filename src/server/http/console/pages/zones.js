// The tree of zones with the rooms in them, as data.

/** @typedef {{id: string, name: string, zones: Branch[], rooms: object[]}} Branch */

/** What people call an entry. */
export const called = (entry) => entry.display_name || entry.name;

/**
 * Puts each room into its innermost zone, and each zone into the one around it.
 * @param {object[]} zones
 * @param {object[]} rooms
 * @returns {Branch[]} the outermost zones, and behind them what stands in none
 */
export function grown(zones, rooms) {
  const branches = new Map(zones.map((zone) => [zone.id, { id: zone.id, name: called(zone), zones: [], rooms: [] }]));
  const parents = new Map(zones.map((zone) => [zone.id, zone.parent_id]));
  const roots = [];
  for (const zone of zones) {
    const around = branches.get(zone.parent_id);
    // Zones that stand in each other in a ring would be seen nowhere.
    if (around && depth(zone.id, parents) < Infinity) around.zones.push(branches.get(zone.id));
    else roots.push(branches.get(zone.id));
  }
  const outside = { id: "", name: zones.length > 0 ? "In no zone" : "Rooms", zones: [], rooms: [] };
  for (const room of rooms) {
    const known = room.zones.filter((id) => branches.has(id));
    const innermost = known.reduce((best, id) => (best === null || depth(id, parents) > depth(best, parents) ? id : best), null);
    (branches.get(innermost) ?? outside).rooms.push(room);
  }
  const filled = outside.rooms.length > 0 ? [...roots, outside] : roots;
  filled.forEach(order);
  return filled;
}

function depth(id, parents) {
  const seen = new Set();
  for (let at = id; at && parents.has(at); at = parents.get(at)) {
    if (seen.has(at)) return Infinity;
    seen.add(at);
  }
  return seen.size;
}

function order(branch) {
  const byName = new Intl.Collator(undefined, { numeric: true }).compare;
  branch.zones.sort((one, other) => byName(one.name, other.name));
  branch.rooms.sort((one, other) => byName(called(one), called(other)));
  branch.zones.forEach(order);
}

/** How many rooms stand in a zone, at any depth. */
export function count(branch) {
  return branch.zones.reduce((sum, zone) => sum + count(zone), branch.rooms.length);
}

/** The places of a room's modules: each name with its index, in the room's order. */
export function places(types) {
  return Object.entries(types).flatMap(([mod, many]) => Array.from({ length: many }, (_, at) => ({ mod, index: at + 1 })));
}
