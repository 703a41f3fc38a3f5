// Small plots as inline SVG; their colours are in centre.css.

/** An SVG element with attributes and children. */
function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function label(x, y, text, anchor = "middle") {
  return svg("text", { x, y, "text-anchor": anchor }, text);
}

/** A step of 1, 2 or 5 times a power of ten that fits one to three times into a length. */
function step(length) {
  const rough = length / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
}

/** Coverage of the uv plane: points {u, v} in m, each with its conjugate; u (east) to the left. */
export function uvPlot(points) {
  const size = 260;
  const middle = size / 2;
  const longest = Math.max(...points.map((point) => Math.hypot(point.u, point.v)), 1);
  const scale = (middle - 14) / longest;
  const rings = [];
  const spacing = step(longest);
  for (let radius = spacing; radius <= longest; radius += spacing) {
    rings.push(svg("circle", { cx: middle, cy: middle, r: radius * scale, class: "grid" }),
      label(middle + 3, middle - radius * scale - 2, `${Number(radius.toPrecision(3))} m`,
        "start"));
  }
  const dots = points.flatMap(({ u, v }) => [[u, v], [-u, -v]]).map(([u, v]) => svg("circle", {
    cx: (middle - u * scale).toFixed(1), cy: (middle - v * scale).toFixed(1), r: 2, class: "point",
  }));
  return svg("svg", {
    viewBox: `0 0 ${size} ${size}`, class: "plot", role: "img", "aria-label": "uv plane",
  },
  svg("path", { d: `M${middle} 6V${size - 6}M6 ${middle}H${size - 6}`, class: "grid" }),
  ...rings, ...dots,
  label(4, middle - 4, "u", "start"), label(middle - 8, 12, "v"));
}

/** Tracks in the uv plane: series {name, tracks, kind}, a track being [u, v, u, v] in m at the begin
 * and the end, each drawn with its conjugate; u (east) to the left. Later series lie on top.
 *
 * name is that of the instrument whose colour the series has; kind "faint" is background.
 */
export function tracksPlot(series) {
  const size = 320;
  const middle = size / 2;
  const longest = Math.max(1, ...series.map(({ tracks }) => tracks.reduce((most, track) =>
    Math.max(most, Math.hypot(track[0], track[1]), Math.hypot(track[2] ?? 0, track[3] ?? 0)), 0)));
  const scale = (middle - 14) / longest;
  const rings = [];
  const spacing = step(longest);
  for (let radius = spacing; radius <= longest; radius += spacing) {
    rings.push(svg("circle", { cx: middle, cy: middle, r: radius * scale, class: "grid" }),
      label(middle + 3, middle - radius * scale - 2, `${Number(radius.toPrecision(3))} m`,
        "start"));
  }
  const place = (u, v) => `${(middle - u * scale).toFixed(1)} ${(middle - v * scale).toFixed(1)}`;
  const lines = series.map(({ name, tracks, kind }) => svg("path", {
    class: `track ${kind ?? ""} ${colour(name)}`,
    d: tracks.flatMap(([u, v, u2, v2]) => [1, -1].map((sign) =>
      `M${place(sign * u, sign * v)}L${place(sign * (u2 ?? u), sign * (v2 ?? v))}`)).join(""),
  }));
  return svg("svg", {
    viewBox: `0 0 ${size} ${size}`, class: "plot uv", role: "img", "aria-label": "uv plane",
  },
  svg("path", { d: `M${middle} 6V${size - 6}M6 ${middle}H${size - 6}`, class: "grid" }),
  ...rings, ...lines,
  label(4, middle - 4, "u", "start"), label(middle - 6, 12, "v", "end"));
}

/** The class that gives what belongs to an instrument its colour. */
export function colour(instrument) {
  return `of-${(instrument ?? "").toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
}

/** Bars of counts: bins [{label, title, values}], stacked, a value for each of the series' names.
 *
 * labels stand below the bars that have one, as far as there is room.
 */
export function barsPlot(names, bins, { width = 420, height = 180, space = 40 } = {}) {
  const [left, bottom, top] = [38, 18, 8];
  const sums = bins.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(...sums, 1);
  const scale = (height - bottom - top) / most;
  const broad = (width - left - 4) / Math.max(bins.length, 1);
  const ground = height - bottom;
  const gap = Math.min(1.5, broad * 0.15);
  const lines = [];
  const spacing = Math.max(1, step(most * 0.6));
  for (let value = 0; value <= most; value += spacing) {
    const y = ground - value * scale;
    lines.push(svg("path", { d: `M${left} ${y}H${width}`, class: "grid" }),
      label(left - 4, y + 3, short(value), "end"));
  }
  const levels = bins.map(() => ground);
  const bars = names.map((name, index) => svg("path", {
    class: `area ${colour(name)}`,
    d: bins.map(({ values }, bin) => {
      const tall = values[index] * scale;
      if (!tall) {
        return "";
      }
      levels[bin] -= tall;
      const x = left + bin * broad;
      return `M${x.toFixed(2)} ${levels[bin].toFixed(2)}h${(broad - gap).toFixed(2)}` +
        `v${tall.toFixed(2)}h${(gap - broad).toFixed(2)}z`;
    }).join(""),
  }));
  let free = 0;
  const words = bins.flatMap(({ label: text }, bin) => {
    const x = left + (bin + 0.5) * broad;
    if (!text || x < free || x > width - 10) {
      return [];
    }
    free = x + space;
    return [label(x, height - 4, text)];
  });
  const titles = bins.map(({ title }, bin) => svg("rect", {
    x: left + bin * broad, y: top, width: broad, height: ground - top, class: "hover",
  }, svg("title", {}, title ?? "")));
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "plot bars", role: "img", "aria-label": "counts",
  }, ...lines, ...bars, ...words, ...titles);
}

/** A count in few letters. */
function short(value) {
  return value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value);
}

/** What the colours of a plot mean: names of instruments. */
export function legend(names) {
  const made = document.createElement("div");
  made.className = "legend";
  for (const name of names) {
    const entry = document.createElement("span");
    const swatch = document.createElement("i");
    swatch.className = colour(name);
    entry.append(swatch, name);
    made.append(entry);
  }
  return made;
}

const SKY = [420, 216, 6];

/** Where a position (deg) is in Hammer's projection; 0 h in the middle, east to the left. */
function project(ra, dec) {
  const [width, height, margin] = SKY;
  const alpha = (((ra + 180) % 360 + 360) % 360 - 180) * Math.PI / 180;
  const delta = dec * Math.PI / 180;
  const z = Math.sqrt(1 + Math.cos(delta) * Math.cos(alpha / 2));
  return [
    width / 2 - (width / 2 - margin) * Math.cos(delta) * Math.sin(alpha / 2) / z,
    height / 2 - (height / 2 - margin) * Math.sin(delta) / z,
  ].map((value) => value.toFixed(1));
}

/** The sky with its meridians and parallels, and with what is drawn on it. */
function sky(...things) {
  const [width, height] = SKY;
  const range = (start, end, by) =>
    Array.from({ length: Math.round((end - start) / by) + 1 }, (_, index) => start + index * by);
  const line = (places) => `M${places.map((place) => place.join(" ")).join("L")}`;
  const meridians = [-179.99, -120, -60, 0, 60, 120, 179.99]
    .map((ra) => line(range(-90, 90, 5).map((dec) => project(ra, dec))));
  const parallels = range(-60, 60, 30)
    .map((dec) => line(range(-179.99, 179.99, 359.98 / 48).map((ra) => project(ra, dec))));
  const hours = [8, 4, 0, 20, 16].map((hour) => {
    const [x, y] = project(hour * 15, 0);
    return label(x, Number(y) + 12, `${hour} h`);
  });
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": "sky",
  }, svg("path", { d: meridians.concat(parallels).join(""), class: "grid" }), ...things, ...hours);
}

/** Positions {s_ra, s_dec} in deg on the sky. */
export function skyPlot(positions) {
  return sky(...positions.map(({ s_ra: ra, s_dec: dec }) => {
    const [cx, cy] = project(ra, dec);
    return svg("circle", { cx, cy, r: 3, class: "point" });
  }));
}

/** Cells [ra, dec, count] in deg on the sky, the darker the more: a step for a factor of ten. */
export function densityPlot(cells) {
  const steps = [];
  for (const [ra, dec, count] of cells) {
    (steps[Math.floor(Math.log10(Math.max(count, 1)))] ??= []).push(project(ra, dec));
  }
  return sky(...Array.from(steps, (places, power) => svg("path", {
    class: `dots power-${Math.min(power, 5)}`,
    d: (places ?? []).map(([x, y]) => `M${x} ${y}h0`).join(""),
  })));
}

/** A bar of a length from 0 to 1. */
export function bar(fraction) {
  return svg("svg", {
    viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true",
  }, svg("rect", { width: Math.max(100 * fraction, 0.5), height: 10 }));
}

/** Round numbers from low to high, some four of them. */
function ticks(low, high) {
  const spacing = step((high - low) * 0.75);
  const first = Math.ceil(low / spacing - 1e-9);
  const last = Math.floor(high / spacing + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * spacing).toPrecision(6)));
}

/** Points {x: [from, to], y, error, kind, title, href}; x from left to right by its logarithm.
 *
 * kind is the class of a point: "ud" has an open mark, others a full one.
 */
export function scatterPlot(points, { xLabel, yLabel, name, width = 560, height = 320 }) {
  const [left, right, bottom, top] = [48, 12, 36, 10];
  const middle = ({ x: [from, to] }) => Math.sqrt(from * to);
  // Room for an error of the size of what was measured would leave little to see of all others.
  const roomOf = ({ y, error }) => ((error ?? 0) < y / 2 ? error ?? 0 : 0);
  const lows = points.map((point) => point.y - roomOf(point));
  const highs = points.map((point) => point.y + roomOf(point));
  const [lowest, highest] = [Math.min(...lows), Math.max(...highs)];
  const air = (highest - lowest) * 0.06 || highest * 0.1;
  const [y0, y1] = [Math.max(0, lowest - air), highest + air];
  const x0 = Math.min(...points.map(({ x }) => x[0])) / 1.1;
  const x1 = Math.max(...points.map(({ x }) => x[1])) * 1.1;
  const across = (x) => left + (width - left - right) * Math.log(x / x0) / Math.log(x1 / x0);
  const up = (y) => height - bottom - (height - bottom - top) *
    (Math.min(Math.max(y, y0), y1) - y0) / (y1 - y0);
  const grid = ticks(y0, y1).flatMap((y) => [
    svg("path", { d: `M${left} ${up(y).toFixed(1)}H${width - right}`, class: "grid" }),
    label(left - 5, up(y) + 3, String(y), "end")]);
  let free = 0;
  for (const x of [0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2, 3, 5, 8, 10, 15, 20, 30]) {
    if (x >= x0 && x <= x1) {
      grid.push(svg("path", { d: `M${across(x).toFixed(1)} ${top}V${height - bottom}`, class: "grid" }));
      if (across(x) > free) {
        grid.push(label(across(x), height - bottom + 13, String(x)));
        free = across(x) + 26;
      }
    }
  }
  const marks = points.map((point) => {
    const [cx, cy] = [across(middle(point)), up(point.y)];
    const bars = [`M${across(point.x[0]).toFixed(1)} ${cy.toFixed(1)}H${across(point.x[1]).toFixed(1)}`];
    if (point.error) {
      bars.push(`M${cx.toFixed(1)} ${up(point.y - point.error).toFixed(1)}` +
        `V${up(point.y + point.error).toFixed(1)}`);
    }
    return svg("a", { href: point.href, class: `mark ${point.kind}` },
      svg("title", {}, point.title),
      svg("path", { d: bars.join("") }),
      svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 4 }));
  });
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "plot scatter", role: "img", "aria-label": name,
  }, ...grid, ...marks, label((left + width - right) / 2, height - 5, xLabel),
  label(left, top - 1, yLabel, "start"));
}
