// The observation logs in numbers and plots.

import { counted, duration, grouped, plain, utc } from "./format.mjs";
import { element, given, link } from "./page.mjs";
import { bar, barsPlot, colour, densityPlot, legend } from "./plot.mjs";

const part = (id) => document.getElementById(id);

function searchFor(criteria) {
  return `/search?${new URLSearchParams(criteria)}`;
}

function when(text) {
  return text ? text.slice(0, 19).replace("T", " ") : "–";
}

function percent(share, all) {
  return all ? `${(100 * share / all).toFixed(2)} %` : "–";
}

function show(numbers) {
  showNumbers(numbers);
  part("counted").textContent = `Counted ${when(numbers.counted)} UTC. `;
  part("counted").append(link("/statistics.json", "The numbers as JSON"));
  if (!numbers.exposures) {
    return;
  }
  part("plots").hidden = false;
  showTime(numbers);
  showInstruments(numbers);
  showModes(numbers);
  showSky(numbers);
  showHistogram("seeing", numbers.seeing, (step) => (step / 10).toFixed(1), 50);
  showHistogram("tau0", numbers.tau0, String, 50);
  showHistogram("hours", numbers.hours, String, 24);
  showFlags(numbers.flags);
}

function showNumbers(numbers) {
  const tiles = [
    [grouped(numbers.exposures), "exposures"],
    [percent(numbers.valid, numbers.exposures),
      `valid: ${grouped(numbers.valid)}`],
    [grouped(numbers.targets), "targets"],
    [grouped(numbers.observations), "observations"],
    [grouped(numbers.headers), "headers"],
    [numbers.first === null ? "–" : `${utc(numbers.first).slice(0, 10)}`,
      numbers.first === null ? "first exposure" : `first exposure, ${utc(numbers.first).slice(11)} UTC`],
    [numbers.last === null ? "–" : `${utc(numbers.last).slice(0, 10)}`,
      numbers.last === null ? "last exposure" : `last exposure, ${utc(numbers.last).slice(11)} UTC`],
    [when(numbers.last_header).slice(0, 10),
      `last change of a header${numbers.last_header ? `, ${when(numbers.last_header).slice(11)} UTC` : ""}`],
  ];
  part("numbers").append(...tiles.map(([number, words]) =>
    element("div", {}, element("b", {}, number), element("span", {}, words))));
  if (numbers.in_step) {
    part("numbers").append(element("div", {}, element("b", {}, when(numbers.in_step).slice(0, 10)),
      element("span", {}, `in step with ESO, ${when(numbers.in_step).slice(11)} UTC`)));
  }
}

/** Instruments in the order of their first light. */
function byAge(numbers) {
  return [...numbers.instruments].sort((one, other) => (one.first ?? 0) - (other.first ?? 0))
    .map((row) => row.instrument);
}

function showTime(numbers) {
  const names = byAge(numbers);
  const months = numbers.months.filter(([, , month]) => month !== null);
  const draw = (size) => {
    const steps = months.map(([, , month]) => Math.floor(month / size));
    const first = Math.min(...steps);
    const bins = Array.from({ length: Math.max(...steps) - first + 1 }, (_, index) => {
      const month = (first + index) * size;
      const year = Math.floor(month / 12);
      const label = size === 12 ? String(year)
        : `${year}-${String(month % 12 + 1).padStart(2, "0")}`;
      return { label: month % 12 ? "" : String(year), title: label, values: names.map(() => 0) };
    });
    months.forEach(([, instrument, , number], index) => {
      bins[steps[index] - first].values[names.indexOf(instrument)] += number;
    });
    bins.forEach((bin) => {
      bin.title += names.map((name, index) => [name, bin.values[index]])
        .filter(([, number]) => number)
        .map(([name, number]) => `\n${name} ${grouped(number)}`).join("");
    });
    part("time").firstElementChild.replaceChildren(
      barsPlot(names, bins, { width: 900, height: 260 }), legend(names));
    part("spans").querySelectorAll("button").forEach((button) =>
      button.setAttribute("aria-pressed", button.value === String(size)));
  };
  part("spans").append(...[[12, "By year"], [3, "By quarter"], [1, "By month"]].map(
    ([size, text]) => element("button",
      { type: "button", value: size, click: () => draw(size) }, text)));
  if (months.length) {
    draw(12);
  }
}

function showInstruments({ instruments, categories }) {
  const most = Math.max(...instruments.map((row) => row.exposures));
  const heads = ["Array", "Instrument", "Exposures", "Valid", "Science", "Targets", "Exposed",
    "Years"];
  const science = new Map(categories.filter(([, , category]) => category === "SCIENCE")
    .map(([facility, instrument, , number]) => [`${facility} ${instrument}`, number]));
  const years = (...times) => [...new Set(times.map((time) =>
    (time === null ? "–" : utc(time).slice(0, 4))))].join("–");
  part("instruments").append(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...instruments.map((row, index) => element("tr", {}, ...[
      index && instruments[index - 1].facility === row.facility ? "" : row.facility ?? "unknown",
      link(searchFor({ instrument: row.instrument }), row.instrument),
      element("span", { class: `counted ${colour(row.instrument)}` }, bar(row.exposures / most),
        grouped(row.exposures)),
      percent(row.valid, row.exposures),
      percent(science.get(`${row.facility} ${row.instrument}`) ?? 0, row.exposures),
      grouped(row.targets),
      row.seconds === null ? "–" : duration(row.seconds),
      years(row.first, row.last),
    ].map((cell) => element("td", {}, cell))))));
}

function showModes({ instruments, modes }) {
  part("modes").append(...instruments.map(({ facility, instrument }) => {
    const own = modes.filter((row) => row[0] === facility && row[1] === instrument)
      .sort((one, other) => other[3] - one[3]);
    const most = own[0]?.[3] ?? 1;
    return element("section", { class: colour(instrument) },
      element("h3", {}, instrument),
      element("table", { class: "small" }, element("tbody", {}, ...own.map(([, , mode, number]) =>
        element("tr", {},
          element("td", {}, mode === null ? "not known"
            : link(searchFor({ instrument, instrument_mode: mode }), mode)),
          element("td", {}, element("span", { class: "counted" }, bar(number / most),
            grouped(number))))))));
  }));
}

function showSky({ sky, cell, targets }) {
  part("sky").firstElementChild.append(
    densityPlot(sky.map(([ra, dec, , exposures]) => [ra, dec, exposures])));
  part("sky").querySelector("figcaption").append(
    `${counted(targets, "target")}, in cells of ${cell}° (ICRS): `,
    ...[0, 1, 2, 3, 4].filter((power) =>
      sky.some(([, , , exposures]) => Math.floor(Math.log10(Math.max(exposures, 1))) === power))
      .map((power) => element("span", { class: `key power-${power}` },
        `from ${grouped(10 ** power)} `)), "exposures");
}

function showHistogram(id, rows, word, most) {
  if (!rows.length) {
    part(id).remove();
    return;
  }
  const names = [...new Set(rows.map(([facility]) => facility ?? "unknown"))].sort();
  const last = Math.max(...rows.map(([, step]) => step));
  const bins = Array.from({ length: Math.min(last, most) + 1 }, (_, step) => ({
    label: word(step), title: word(step), values: names.map(() => 0) }));
  rows.forEach(([facility, step, number]) => {
    bins[Math.min(step, most)].values[names.indexOf(facility ?? "unknown")] += number;
  });
  bins.forEach((bin) => {
    bin.title += names.map((name, index) => `\n${name} ${grouped(bin.values[index])}`).join("");
  });
  part(id).firstElementChild.append(barsPlot(names, bins, { height: 150, space: 34 }),
    legend(names));
}

function showFlags(flags) {
  if (!flags.length) {
    part("flags").append(element("dd", {}, "Nothing is known to be."));
  }
  part("flags").append(...flags.flatMap(([flag, number, words]) => [
    element("dt", {}, `${flag} (${plain(number)})`), element("dd", {}, words ?? "")]));
}

show(given());
