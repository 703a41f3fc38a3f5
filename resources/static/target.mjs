// The page of one target: names, neighbours, what has been observed of it.

import { counted, duration, grouped, plain, sexagesimal, utc } from "./format.mjs";
import { element, exposurePage, given, link, schedulePage, targetPage } from "./page.mjs";
import { bar, barsPlot, colour, legend, tracksPlot } from "./plot.mjs";
import { sampButton } from "./samp.mjs";

/** Rows of the table of nights at first. */
const SHORT = 30;

const part = (id) => document.getElementById(id);

function show({ log, coverage, drawn }) {
  const { target, nights } = log;
  document.title = `${target.target_name} – JMMC data centre`;
  part("title").textContent = target.target_name;
  showHead(target, nights ?? []);
  showLinks(target);
  showCoverage(coverage, drawn);
  showYears(nights ?? []);
  part("names").append(...(log.aliases ?? []).map(([alias, number]) =>
    element("span", {}, alias, " ", element("small", {}, grouped(number)))));
  part("neighbours").hidden = !log.neighbours;
  part("neighbours").querySelector("ul").append(...(log.neighbours ?? []).map(
    ([number, name, separation, n]) => element("li", {}, link(targetPage(number), name),
      `, ${plain(separation, 3)}″ away, ${counted(n, "exposure")}`)));
  showInstruments(nights ?? []);
  showNights(target, nights ?? []);
  part("changes").hidden = !log.changes;
  part("changes").querySelector("ul").append(...(log.changes ?? []).map((change) =>
    element("li", {}, `${change.changed.slice(0, 10)}: ${change.kind} of target ` +
      `${change.other_id} ${change.kind === "merge" ? "into" : "out of"} target ` +
      `${change.target_id}${change.reason ? `: ${change.reason}` : ""}`)));
  part("target").hidden = false;
}

function showHead(target, nights) {
  const motion = target.pm_ra === null || target.pm_dec === null ? ""
    : `, moving by ${plain(target.pm_ra)} and ${plain(target.pm_dec)} mas a year`;
  const distinct = new Set(nights.map((row) => row.night)).size;
  part("summary").append(`${sexagesimal(target.s_ra, target.s_dec)} ` +
    `(${plain(target.s_ra, 8)} ${plain(target.s_dec, 8)} deg)${motion}. ` +
    `${counted(target.n_exposures, "exposure")} in ${counted(distinct, "night")}.`);
}

function showLinks(target) {
  const button = (url, text) => element("a", { class: "button", href: url }, text);
  const place = `${target.s_ra} ${target.s_dec}`;
  // ASPRO2 and the others get the exposures in the form that they have always known.
  const answer = `search.votable?${new URLSearchParams({ target_id: target.target_id })}`;
  part("links").append(
    element("a", { class: "button first",
      href: `/search?${new URLSearchParams({ target_id: target.target_id })}` },
    "Its exposures"),
    button(`/${answer}`, "VOTable"),
    button(`/coverage.json?${new URLSearchParams({ target_id: target.target_id })}`,
      "uv coverage as JSON"),
    button(`/static/oidb.html?${new URLSearchParams({ target: place })}`, "In OiDB"),
    button(`https://simbad.cds.unistra.fr/simbad/sim-coo?${new URLSearchParams({
      Coord: place, Radius: "10", "Radius.unit": "arcsec" })}`, "SIMBAD"),
    ...sampButton("Send to TOPCAT, Aladin", "The exposures, by SAMP", "table.load.votable",
      { url: `${location.origin}/${answer}`, name: target.target_name,
        "table-id": `obsportal-${target.target_id}` }));
}

function showCoverage(coverage, drawn) {
  const names = Object.keys(coverage).sort();
  if (!names.length) {
    part("uv").remove();
    return;
  }
  part("uv").firstElementChild.append(
    tracksPlot(names.map((name) => ({ name, tracks: coverage[name] }))), legend(names));
  part("uv").querySelector("figcaption").textContent =
    `uv coverage already in the archive (of at most ${drawn} exposures)`;
}

function instrumentsOf(nights) {
  return [...new Set(nights.map((row) => row.instrument_name))].sort();
}

function showYears(nights) {
  const dated = nights.filter((row) => row.night !== null);
  if (!dated.length) {
    part("time").remove();
    return;
  }
  const names = instrumentsOf(dated);
  const years = dated.map((row) => Number(row.night.slice(0, 4)));
  const [first, last] = [Math.min(...years), Math.max(...years)];
  const bins = Array.from({ length: last - first + 1 }, (_, index) => ({
    label: String(first + index), values: names.map(() => 0) }));
  dated.forEach((row, index) => {
    bins[years[index] - first].values[names.indexOf(row.instrument_name)] += row.n;
  });
  bins.forEach((bin) => {
    bin.title = `${bin.label}: ` + (names.map((name, index) => [name, bin.values[index]])
      .filter(([, n]) => n).map(([name, n]) => `${name} ${n}`).join(", ") || "nothing");
  });
  part("time").firstElementChild.append(barsPlot(names, bins));
}

function table(place, heads, rows) {
  place.replaceChildren(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map(
      (cell, index) => element("td", { "data-label": heads[index] },
        ...(Array.isArray(cell) ? cell : [cell])))))));
}

function showInstruments(nights) {
  const rows = instrumentsOf(nights).map((name) => {
    const own = nights.filter((row) => row.instrument_name === name);
    const sum = (column) => own.reduce((total, row) => total + (row[column] ?? 0), 0);
    const dates = own.map((row) => row.night).filter(Boolean).sort();
    return { name, n: sum("n"), valid: sum("valid"), seconds: sum("seconds"),
      nights: new Set(dates).size, first: dates[0], last: dates.at(-1) };
  }).sort((one, other) => other.n - one.n);
  const most = Math.max(1, ...rows.map((row) => row.n));
  part("instruments").hidden = !rows.length;
  table(part("instruments").querySelector("table"),
    ["Instrument", "Exposures", "Valid", "Nights", "Exposed", "Between"],
    rows.map((row) => [row.name,
      element("span", { class: `counted ${colour(row.name)}` }, bar(row.n / most),
        grouped(row.n)),
      grouped(row.valid), grouped(row.nights), duration(row.seconds),
      row.first ? (row.first === row.last ? row.first : `${row.first} and ${row.last}`) : "–"]));
}

function showNights(target, nights) {
  const two = (first, second) => [element("div", {}, first),
    element("div", { class: "second" }, second)];
  const draw = (rows) => table(part("nights").querySelector("table"),
    ["Night", "Instrument", "Stations", "Exposures", "Programme", "Seeing"],
    rows.map((row) => [
      two(row.night ?? "–", row.first === null ? "" : `from ${utc(row.first).slice(11, 16)} UTC`),
      two(row.instrument_name, row.instrument_mode ?? ""),
      row.stations ?? "–",
      two(link(row.n === 1 || row.night === null ? exposurePage(row.exposure_id)
        : `/search?${new URLSearchParams({
          target_id: target.target_id, instrument: row.instrument_name,
          from: row.night, to: row.night, order: "time" })}`, counted(row.n, "exposure")),
      row.valid === row.n ? "" : `${row.valid} valid`),
      row.progid === null ? "–" : row.facility_name === "VLTI"
        ? link(schedulePage(row.progid), row.progid) : row.progid,
      row.seeing === null ? "–" : `${plain(row.seeing, 3)}″`]));
  part("nights").hidden = !nights.length;
  draw(nights.slice(0, SHORT));
  if (nights.length > SHORT) {
    const more = element("button", { type: "button", click: () => {
      draw(nights);
      more.remove();
    } }, `All ${grouped(nights.length)} rows`);
    part("nights").querySelector(".actions").append(more);
  }
}

show(given());
