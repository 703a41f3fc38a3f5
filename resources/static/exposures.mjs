// The page that searches the observation logs: form and query string, results, plots, exports.

import { counted, plain, sexagesimal, utc } from "./format.mjs";
import { answer, Listing, part, yearsPlot } from "./listing.mjs";
import { order, parameters, selection } from "./logs.mjs";
import { element, exposurePage, link, schedulePage, targetPage } from "./page.mjs";
import { densityPlot, skyPlot, tracksPlot } from "./plot.mjs";
import { sampButton } from "./samp.mjs";
import { position } from "./search.mjs";
import { literal, resultUrl } from "./tap.mjs";

const PAGE = 25;
/** Results that can be turned to, page by page. */
const REACH = 10000;
const NEWEST_FIRST = "-time";
/** Rows of an export: all that the service gives. */
const ALL = 5000000;
const COLUMNS = [
  ["target", "Target"], ["time", "Begin (UTC)"], [null, "Instrument"], ["baseline", "Stations"],
  [null, "Programme"], ["seeing", "Seeing"], [null, "Details"],
];

const list = new Listing({
  columns: COLUMNS, order: NEWEST_FIRST, find: search, read: readAddress,
});
let logNumbers;

/** The numbers of the whole log, asked for once. */
function numbers() {
  logNumbers ??= fetch("/statistics.json").then((response) => response.json());
  return logNumbers;
}

/** The parameters of the address; those of older links mean what they always meant. */
function readAddress(state) {
  if (state.get("ra") && state.get("dec") && !state.get("target")) {
    state.set("target", `${state.get("ra")} ${state.get("dec")}`);
  }
  if (state.get("name") && !state.get("target")) {
    state.set("target", state.get("name"));
  }
  ["ra", "dec", "name"].forEach((name) => state.delete(name));
  for (const name of ["instrument", "interferometer"]) {
    if (state.get(name)) {
      state.set(name, state.get(name).toUpperCase());
    }
  }
  return state;
}

/** Targets whose name begins with a text; `same` are those that have it, however spelled. */
function named(text) {
  return answer("/detail/names.json", new URLSearchParams({ begin: text }));
}

/** Numbers of the targets that a search is for, by their name. */
async function targetsOf(name) {
  if (!name || name.includes("*") || position(name)) {
    return [];
  }
  literal(name); // refuses what no name has
  const found = await named(name);
  const same = found.filter((target) => target.same);
  return (same.length ? same : found).map((target) => target.target_id);
}

/** Does what the query string says. */
async function search(current) {
  const criteria = list.criteria("target_id"); // which is not in the form
  const targets = await targetsOf(criteria.target);
  const adql = `SELECT e.* ${selection(criteria, targets)} ${order(list.order)}`;
  const asked = parameters(criteria, targets);
  const everything = asked?.size === 0;
  const summary = overview(asked, everything);
  summary.catch(() => {}); // told below, once there are rows
  const { rows } = asked ? await answer("/search/rows.json",
    new URLSearchParams([...asked, ["order", list.order], ["page", list.page]])) : { rows: [] };
  if (!current()) {
    return;
  }
  part("count").textContent = rows.length ? "" : "Nothing found";
  list.showRows(rows, resultRow);
  showExports(adql);
  part("pages").replaceChildren();
  document.querySelector(".figures").hidden = part("exports").hidden = !rows.length;
  showCoverage(rows);
  const { years, total, sky } = await summary;
  if (!current()) {
    return;
  }
  part("count").textContent = total ? counted(total, "exposure") : "Nothing found";
  list.showPages(Math.min(total, REACH), PAGE);
  showTime(years);
  part("sky").firstElementChild.replaceChildren(sky);
}

/** All that is found, in numbers: {years: [instrument, year, n], total, sky: a plot}. */
async function overview(asked, everything) {
  if (everything) {
    const { months, exposures, sky } = await numbers();
    return {
      years: months.map(([, instrument, month, n]) => (
        [instrument, month === null ? null : Math.floor(month / 12), n])),
      total: exposures,
      sky: densityPlot(sky.map(([ra, dec, , n]) => [ra, dec, n])),
    };
  }
  const found = asked ? await answer("/search/overview.json", asked) : {};
  const years = found.years ?? [];
  return {
    years,
    total: years.reduce((sum, [, , n]) => sum + n, 0),
    sky: skyPlot((found.places ?? []).map(([s_ra, s_dec]) => ({ s_ra, s_dec }))),
  };
}

const CATEGORY = { SCIENCE: "science", CALIB: "calibrator" };

function resultRow(row) {
  const name = row.target_name ?? "unnamed";
  return [
    [row.target_id === null ? name : link(targetPage(row.target_id), name),
      row.s_ra === null ? "position unknown" : sexagesimal(row.s_ra, row.s_dec)],
    [row.t_min === null ? "–" : utc(row.t_min), CATEGORY[row.dataproduct_category] ?? ""],
    [row.instrument_name, [row.instrument_mode, row.instrument_submode].filter(Boolean).join(", ")],
    [row.stations ?? "–", row.uv_distance_max === null ? ""
      : `${plain(row.uv_distance_min, 3)}–${plain(row.uv_distance_max, 3)} m`],
    [row.progid === null ? "–" : row.facility_name === "VLTI"
      ? link(schedulePage(row.progid), row.progid) : row.progid, ""],
    [row.seeing === null ? "–" : `${plain(row.seeing, 2)}″`,
      row.tau0 === null ? "" : `${plain(row.tau0 * 1e3, 2)} ms`],
    [link(exposurePage(row.exposure_id), "Exposure"), row.validation_level ? "" : "not valid"],
  ];
}

function showExports(adql) {
  // Not every program reads the binary serialisation that is the service's own choice.
  const url = (format) => `${resultUrl(adql, format)}&MAXREC=${ALL}`;
  const button = (format, text, suffix) => element("a",
    { class: "button", href: url(format), download: `exposures.${suffix}` }, text);
  part("exports").replaceChildren(
    button("votable/td", "VOTable", "vot"), button("csv", "CSV", "csv"),
    button("json", "JSON", "json"),
    ...sampButton("Send to TOPCAT, Aladin", "The table, by SAMP", "table.load.votable",
      { url: url("votable/td"), name: "Exposures", "table-id": "obsportal-search" }));
  part("adql").textContent = adql;
}

function showCoverage(rows) {
  const names = [...new Set(rows.map((row) => row.instrument_name))].sort();
  const tracks = (name) => rows.filter((row) => row.instrument_name === name)
    .flatMap((row) => row.tracks ?? []);
  part("uv").firstElementChild.replaceChildren(
    tracksPlot(names.map((name) => ({ name, tracks: tracks(name) }))));
  part("uv").querySelector("figcaption").textContent = "uv coverage of the rows below";
}

/** Exposures by year and instrument. */
function showTime(years) {
  const rows = years.filter(([, year]) => year !== null);
  const names = [...new Set(rows.map(([instrument]) => instrument))].sort();
  part("time").firstElementChild.replaceChildren(...yearsPlot(names, rows));
}

/** Fills the lists of the form with what there is. */
async function offerChoices() {
  const { modes } = await numbers();
  const distinct = (rows) => [...new Map(rows.map((row) => [row.join("\n"), row])).values()]
    .filter(([value]) => value).sort((one, other) => (one.join() < other.join() ? -1 : 1));
  list.offer("interferometer", distinct(modes.map(([facility]) => [facility])));
  list.offer("instrument", distinct(modes.map(([facility, name]) => [name, facility])));
  list.offer("instrument_mode", distinct(modes.map(([, name, mode]) => [mode, name])));
}

/** Suggests names as they are typed. */
function suggest() {
  let waiting;
  const field = list.form.elements.target;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    const text = field.value.trim();
    if (text.length < 2 || text.includes("*")) {
      return;
    }
    waiting = setTimeout(async () => {
      const found = await named(text).catch(() => []);
      part("targets").replaceChildren(...found.map((target) => element("option",
        { value: target.alias }, counted(target.n_exposures, "exposure"))));
    }, 150);
  });
}

list.start();
suggest();
offerChoices().catch(() => {}); // the search itself tells of a service that fails
