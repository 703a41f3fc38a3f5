// The page that searches the observation logs: form and query string, results, plots, exports.

import { counted, grouped, plain, sexagesimal, utc } from "./format.mjs";
import { order, parameters, selection } from "./logs.mjs";
import { element, exposurePage, link, message, schedulePage, targetPage } from "./page.mjs";
import { barsPlot, densityPlot, legend, skyPlot, tracksPlot } from "./plot.mjs";
import { sampButton } from "./samp.mjs";
import { DATE, position } from "./search.mjs";
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

const form = document.getElementById("criteria");
const part = (id) => document.getElementById(id);
const fields = Array.from(form.elements).filter((field) => field.name);
/** Parameters that are not in the form. */
const OTHERS = ["target_id"];

/** Counts the searches, so that a late answer to an old one is dropped. */
let latest = 0;
let logNumbers;

/** The numbers of the whole log, asked for once. */
function numbers() {
  logNumbers ??= fetch("/statistics.json").then((response) => response.json());
  return logNumbers;
}

/** The parameters of the address; those of older links mean what they always meant. */
function readAddress() {
  const state = new URLSearchParams(location.search);
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

function readForm() {
  return new URLSearchParams(
    fields.map((field) => [field.name, field.value.trim()]).filter(([, value]) => value));
}

/** Chooses a value of a list, which may not know it (yet). */
function choose(select, value) {
  if (!Array.from(select.options).some((option) => option.value === value)) {
    select.append(element("option", { value }, value));
  }
  select.value = value;
}

function writeForm(state) {
  for (const field of fields) {
    const value = state.get(field.name) ?? "";
    if (field instanceof HTMLSelectElement) {
      choose(field, value);
    } else {
      field.value = field.type !== "date" || DATE.test(value) ? value : "";
    }
    if (value && part("more").contains(field)) {
      part("more").open = true;
    }
  }
}

/** Address of this page with some parameters of the present one changed. */
function changed(state, changes) {
  const next = new URLSearchParams(state);
  Object.entries(changes).forEach(([name, value]) => next.set(name, value));
  return `?${next}`;
}

function go(url) {
  history.pushState(null, "", url);
  return search();
}

function inPlace(event) {
  if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(event.currentTarget.href);
  }
}

/** What an address answers; throws an Error with its own words when it refuses. */
async function answer(path, parameters) {
  let response;
  try {
    response = await fetch(`${path}?${parameters}`);
  } catch {
    throw new Error("The data centre does not answer.");
  }
  if (!response.ok) {
    throw new Error((await response.text()).trim());
  }
  return response.json();
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
async function search() {
  const state = readAddress();
  writeForm(state);
  const turn = latest += 1;
  part("results").ariaBusy = "true";
  part("trouble").replaceChildren(element("p", { class: "message" }, "Searching …"));
  try {
    const criteria = Object.fromEntries([...fields.map((field) => field.name), ...OTHERS].map(
      (name) => [name, state.get(name) ?? ""]));
    const targets = await targetsOf(criteria.target);
    const sorted = state.get("order") ?? NEWEST_FIRST;
    const page = Math.max(1, Math.floor(Number(state.get("page"))) || 1);
    const adql = `SELECT e.* ${selection(criteria, targets)} ${order(sorted)}`;
    const asked = parameters(criteria, targets);
    const everything = asked?.size === 0;
    const summary = overview(asked, everything);
    summary.catch(() => {}); // told below, once there are rows
    const { rows } = asked ? await answer("/search/rows.json",
      new URLSearchParams([...asked, ["order", sorted], ["page", page]])) : { rows: [] };
    if (turn !== latest) {
      return;
    }
    part("trouble").replaceChildren();
    part("results").hidden = false;
    part("count").textContent = rows.length ? "" : "Nothing found";
    showRows(rows, state);
    showExports(adql);
    part("pages").replaceChildren();
    document.querySelector(".figures").hidden = part("exports").hidden = !rows.length;
    showCoverage(rows);
    const { years, total, sky } = await summary;
    if (turn !== latest) {
      return;
    }
    part("count").textContent = total ? counted(total, "exposure") : "Nothing found";
    showPages(total, page, state);
    showTime(years);
    part("sky").firstElementChild.replaceChildren(sky);
  } catch (error) {
    if (turn === latest) {
      part("results").hidden = true;
      message(part("trouble"), error.message);
    }
  }
  if (turn === latest) {
    part("results").ariaBusy = "false"; // all is there, or told
  }
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

function showRows(rows, state) {
  const current = state.get("order") ?? NEWEST_FIRST;
  const heading = ([name, text]) => {
    if (!name) {
      return element("th", { scope: "col" }, text);
    }
    const sorted = current.replace(/^-/, "") === name;
    const mark = sorted ? (current.startsWith("-") ? " ↓" : " ↑") : "";
    const next = current === name ? `-${name}` : name;
    const direction = current.startsWith("-") ? "descending" : "ascending";
    return element("th", { scope: "col", "aria-sort": sorted ? direction : null },
      element("a", { href: changed(state, { order: next, page: 1 }), click: inPlace },
        text + mark));
  };
  part("rows").replaceChildren(
    element("thead", {}, element("tr", {}, ...COLUMNS.map(heading))),
    element("tbody", {}, ...rows.map(resultRow)));
  part("rows").hidden = !rows.length;
}

const CATEGORY = { SCIENCE: "science", CALIB: "calibrator" };

function resultRow(row) {
  const name = row.target_name ?? "unnamed";
  const cells = [
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
  return element("tr", {}, ...cells.map(([first, second], index) =>
    element("td", { "data-label": COLUMNS[index][1] },
      element("div", {}, first), element("div", { class: "second" }, second))));
}

function showPages(total, page, state) {
  const last = Math.max(1, Math.ceil(Math.min(total, REACH) / PAGE));
  const step = (to, text) => (to < 1 || to > last ? null
    : element("a", { href: changed(state, { page: to }), click: inPlace, class: "button" }, text));
  part("pages").replaceChildren(...[
    step(page - 1, "← Previous"),
    last > 1 ? element("span", {}, `Page ${grouped(page)} of ${grouped(last)}`) : null,
    step(page + 1, "Next →"),
  ].filter(Boolean));
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
  const first = Math.min(...rows.map(([, year]) => year));
  const length = rows.length ? Math.max(...rows.map(([, year]) => year)) - first + 1 : 0;
  const bins = Array.from({ length }, (_, index) => (
    { label: String(first + index), values: names.map(() => 0) }));
  rows.forEach(([instrument, year, n]) => {
    bins[year - first].values[names.indexOf(instrument)] += n;
  });
  bins.forEach((bin) => {
    bin.title = bin.label + names.map((name, index) => [name, bin.values[index]])
      .filter(([, n]) => n).map(([name, n]) => `\n${name} ${grouped(n)}`).join("");
  });
  part("time").firstElementChild.replaceChildren(barsPlot(names, bins), legend(names));
}

/** Fills the lists of the form with what there is. */
async function offerChoices() {
  const { modes } = await numbers();
  const offer = (name, rows) => {
    const select = form.elements[name];
    const chosen = select.value;
    select.replaceChildren(select.options[0]);
    for (const [value, group] of rows) {
      let place = select;
      if (group) {
        place = Array.from(select.children).find((child) => child.label === group) ??
          select.appendChild(element("optgroup", { label: group }));
      }
      place.append(element("option", { value }, value));
    }
    choose(select, chosen);
  };
  const distinct = (rows) => [...new Map(rows.map((row) => [row.join("\n"), row])).values()]
    .filter(([value]) => value).sort((one, other) => (one.join() < other.join() ? -1 : 1));
  offer("interferometer", distinct(modes.map(([facility]) => [facility])));
  offer("instrument", distinct(modes.map(([facility, name]) => [name, facility])));
  offer("instrument_mode", distinct(modes.map(([, name, mode]) => [mode, name])));
}

/** Suggests names as they are typed. */
function suggest() {
  let waiting;
  const field = form.elements.target;
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

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(`?${readForm()}`);
});
addEventListener("popstate", search);
search();
suggest();
offerChoices().catch(() => {}); // the search itself tells of a service that fails
