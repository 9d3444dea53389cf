// A small chart of a number over the last five minutes.

import { svg } from "./dom.js";

/** How far back it goes, in milliseconds. */
const SPAN = 300_000;

/** How many points it has at most: one for each pixel and then some. */
const POINTS_MAX = 300;

const WIDTH = 144;
const HEIGHT = 28;

export class Chart {
  /** @type {{at: number, value: number}[]} */
  #points = [];

  constructor(label) {
    this.line = svg("polyline", {});
    this.element = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
    this.element.append(this.line);
    this.label = label;
  }

  /** Takes a new value. */
  add(value, at = Date.now()) {
    const last = this.#points.at(-1);
    // Values come faster than the chart is wide: those of one pixel are one point.
    if (last && at - last.at < SPAN / POINTS_MAX) last.value = value;
    else this.#points.push({ at, value });
    this.draw(at);
  }

  draw(now = Date.now()) {
    const points = this.#points;
    while (points.length > 2 && now - points[1].at > SPAN) points.shift();
    const values = points.map(({ value }) => value);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const reach = most - least || 1;
    const x = (at) => Math.max(0, WIDTH - ((now - at) / SPAN) * WIDTH).toFixed(1);
    const y = (value) => (HEIGHT - 2 - ((value - least) / reach) * (HEIGHT - 4)).toFixed(1);
    const corners = [];
    // A value holds until the next one comes.
    points.forEach(({ at, value }, index) => {
      if (index > 0) corners.push(`${x(at)},${y(points[index - 1].value)}`);
      corners.push(`${x(at)},${y(value)}`);
    });
    if (values.length > 0) corners.push(`${WIDTH},${y(values.at(-1))}`);
    this.line.setAttribute("points", corners.join(" "));
    this.element.setAttribute("aria-label", `${this.label}: from ${least} to ${most} in the last five minutes`);
  }
}
