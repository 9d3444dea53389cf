// Prometheus's text format, read as far as the gateway writes it.

/** @typedef {{name: string, labels: string, value: number}} Series */

const LINE = /^([A-Za-z_:][\w:]*)(\{.*\})? (\S+)$/;

/**
 * @param {string} page
 * @returns {{series: Series[], help: Map<string, string>}} the help by the name of the measure
 */
export function parsed(page) {
  const series = [];
  const help = new Map();
  for (const line of page.split("\n")) {
    if (line.startsWith("# HELP ")) {
      const [name, ...words] = line.slice("# HELP ".length).split(" ");
      help.set(name, words.join(" "));
      continue;
    }
    const found = LINE.exec(line);
    if (found) series.push({ name: found[1], labels: found[2] ?? "", value: Number(found[3]) });
  }
  return { series: averaged(series), help };
}

/** Puts the average in the place of a histogram's parts, which nobody reads one by one. */
function averaged(series) {
  const sums = new Map(series.filter(({ name }) => name.endsWith("_sum")).map((one) => [one.name.slice(0, -"_sum".length) + one.labels, one.value]));
  return series.flatMap((one) => {
    if (one.name.endsWith("_bucket") || one.name.endsWith("_sum")) return [];
    const family = one.name.replace(/_count$/, "");
    const sum = sums.get(family + one.labels);
    if (family === one.name || sum === undefined) return [one];
    return [{ name: family, labels: one.labels, value: one.value > 0 ? sum / one.value : 0 }];
  });
}
