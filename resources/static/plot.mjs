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

/** The sky in Hammer's projection: positions {s_ra, s_dec} in deg; 0 h in the middle, east left. */
export function skyPlot(positions) {
  const [width, height, margin] = [420, 216, 6];
  const project = (ra, dec) => {
    const alpha = (((ra + 180) % 360 + 360) % 360 - 180) * Math.PI / 180;
    const delta = dec * Math.PI / 180;
    const z = Math.sqrt(1 + Math.cos(delta) * Math.cos(alpha / 2));
    return [
      width / 2 - (width / 2 - margin) * Math.cos(delta) * Math.sin(alpha / 2) / z,
      height / 2 - (height / 2 - margin) * Math.sin(delta) / z,
    ].map((value) => value.toFixed(1));
  };
  const range = (start, end, by) =>
    Array.from({ length: Math.round((end - start) / by) + 1 }, (_, index) => start + index * by);
  const line = (places) => `M${places.map((place) => place.join(" ")).join("L")}`;
  const meridians = [-179.99, -120, -60, 0, 60, 120, 179.99]
    .map((ra) => line(range(-90, 90, 5).map((dec) => project(ra, dec))));
  const parallels = range(-60, 60, 30)
    .map((dec) => line(range(-179.99, 179.99, 359.98 / 48).map((ra) => project(ra, dec))));
  const dots = positions.map(({ s_ra: ra, s_dec: dec }) => {
    const [cx, cy] = project(ra, dec);
    return svg("circle", { cx, cy, r: 3, class: "point" });
  });
  const hours = [8, 4, 0, 20, 16].map((hour) => {
    const [x, y] = project(hour * 15, 0);
    return label(x, Number(y) + 12, `${hour} h`);
  });
  return svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": "sky",
  }, svg("path", { d: meridians.concat(parallels).join(""), class: "grid" }), ...hours, ...dots);
}

/** A bar of a length from 0 to 1. */
export function bar(fraction) {
  return svg("svg", {
    viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true",
  }, svg("rect", { width: Math.max(100 * fraction, 0.5), height: 10 }));
}
