// The gateway itself: its version and the nodes that it sees.

import { BASE } from "./base.js";
import { button, el, fill } from "./dom.js";
import { get } from "./rest.js";
import { parsed } from "./series.js";
import { textOf } from "./value.js";

/** The measures that say how the nodes are. */
const OF_NODES = ["riser_nodes", "riser_modules", "riser_connections", "riser_bindings", "riser_lease_lapsed_total", "riser_modules_taken_over_total", "riser_ledger_followed"];

/** Whether a series belongs here: how the nodes are, and how many are connected by each dialect. */
const isOfNodes = ({ name, labels }) => OF_NODES.includes(name) || (name.includes("connections") && labels.includes('dialect="'));

export async function open(place, _words, { left }) {
  const inside = el("div");
  fill(place, el("h1", {}, "Cluster"), inside);
  const look = async () => {
    const [versions, members, platform, ready, page] = await Promise.all([get("cluster/versions"), get("cluster").catch(() => []), get("platform").catch(() => null), plain("readyz"), plain("metrics")]);
    if (left.aborted) return;
    const { series, help } = parsed(page.text ?? "");
    const nodes = series.find(({ name }) => name === "riser_nodes")?.value;
    fill(
      inside,
      el("p", {}, `Readiness: ${ready.text?.trim() || "not told at this address"}`),
      el("p", {}, nodesText(nodes)),
      table(["Service", "Version", "Commit"], versions.map(({ service, version, commit }) => [service, version, commit])),
      members.length > 0 && membersTable(members),
      platform?.version && el("p", {}, `Speaks as PlaceOS ${platform.version}.`),
      el("h2", {}, "This node"),
      table(["Measure", "Value", ""], series.filter(isOfNodes).map(({ name, labels, value }) => [name + labels, value, help.get(name) ?? ""])),
      el("p", {}, button("Look again", look)),
    );
  };
  await look();
}

/** The nodes with what the gateway says of each. */
function membersTable(members) {
  const heads = [...new Set(members.flatMap((member) => Object.keys(member)))];
  const shown = (value) => (typeof value === "string" ? value : textOf(value));
  return table(heads, members.map((member) => heads.map((head) => shown(member[head]))));
}

function nodesText(nodes) {
  if (nodes === undefined) return "How many nodes there are is not told at this address.";
  return nodes === 0 ? "This gateway is alone." : `${nodes} nodes run the modules of the building, as this one sees them.`;
}

async function plain(path) {
  const answer = await fetch(`${BASE}${path}`).catch(() => null);
  return { text: answer && answer.status !== 404 ? await answer.text() : null };
}

function table(heads, rows) {
  const head = el("tr", {}, heads.map((name) => (name ? el("th", { scope: "col" }, name) : el("td"))));
  const body = rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, String(cell)))));
  return el("div.wide", { tabIndex: 0, role: "region", "aria-label": heads[0] }, el("table", {}, el("thead", {}, head), el("tbody", {}, body)));
}
