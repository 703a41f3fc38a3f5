// The list of measured diameters: criteria in the address, rows, numbers, exports.

import { counted, grouped } from "./format.mjs";
import { both, METHODS, publication, starPage, table, wavelength } from "./jmdc_values.mjs";
import { element, given, link, message } from "./page.mjs";
import { barsPlot, legend } from "./plot.mjs";
import { sampButton } from "./samp.mjs";
import { position } from "./search.mjs";
import { literal, number, resultUrl } from "./tap.mjs";

const PAGE = 50;
const COLUMNS = [
  ["star", "Star"], ["diameter", "Limb-darkened"], [null, "Uniform disk"], [null, "Error"],
  ["wavelength", "Band"], ["publication", "Publication"], [null, "Notes"],
];
const BANDS = "UBVRIJHKLMNQ";
const FLAGS = {
  any: "quality_flags<>''", none: "quality_flags=''", corrected: "correction IS NOT NULL",
};

const form = document.getElementById("criteria");
const part = (id) => document.getElementById(id);
const fields = Array.from(form.elements).filter((field) => field.name);

/** Counts the searches, so that a late answer to an old one is dropped. */
let latest = 0;

function showSummary(numbers) {
  const [last] = numbers.releases;
  part("totals").textContent = `${counted(numbers.measurements, "measurement")} of ` +
    `${counted(numbers.stars, "star")} from ${counted(numbers.publications, "publication")}` +
    (last ? `; last release ${last[0]}` : "") +
    (numbers.unreleased ? `, ${grouped(numbers.unreleased)} accepted since` : "") + ".";
  const option = (value, text) => element("option", { value }, text);
  form.elements.release.append(...numbers.releases.map(([name]) => option(name, name)));
  form.elements.band.append(...Array.from(BANDS, (band) => option(band, band)));
  form.elements.flags.append(...numbers.flags.map(([flag, n]) => option(flag, `${flag} (${n})`)));
  part("flags").hidden = !numbers.flags.length;
  part("flags").querySelector("dl").append(...numbers.flags.flatMap(([flag, n, words]) => [
    element("dt", {}, flag), element("dd", {}, `${words ?? ""} `,
      link(`?${new URLSearchParams({ flags: flag })}`, counted(n, "measurement")))]));
}

/** The parameters of rows.json for those of the address, in which a position is a name. */
function parametersOf(state) {
  const asked = new URLSearchParams(state);
  const place = asked.get("star") ? position(asked.get("star")) : null;
  if (place) {
    asked.delete("star");
    asked.set("ra", place.ra);
    asked.set("dec", place.dec);
  } else {
    asked.delete("radius");
  }
  return asked;
}

/** The query in ADQL for criteria; names stand for the stars with these numbers. */
function adqlOf(asked, stars) {
  const conditions = [];
  const add = (name, text) => asked.get(name) && conditions.push(text(asked.get(name)));
  add("release", (name) => `release=${literal(name)}`);
  add("measurement_id", (text) => `measurement_id=${number(Number(text))}`);
  add("star", () => `star_id IN (${(stars ?? [-1]).map(number).join(", ")})`);
  add("ra", (ra) => "1=CONTAINS(POINT('ICRS', s_ra, s_dec), CIRCLE('ICRS', " +
    `${number(Number(ra))}, ${number(Number(asked.get("dec")))}, ` +
    `${number(Number(asked.get("radius") || 30) / 3600)}))`);
  add("band", (band) => `' ' || band_letters || ' ' LIKE ${literal(`% ${band} %`)}`);
  add("method", (method) => `method=${number(Number(method))}`);
  add("from", (year) => `bibcode>=${literal(year)}`);
  add("to", (year) => `bibcode<${literal(String(Number(year) + 1))}`);
  add("bibcode", (text) => `bibcode LIKE ${literal(text.replaceAll("*", "%"))}`);
  add("flags", (flag) => FLAGS[flag] ??
    `' ' || quality_flags || ' ' LIKE ${literal(`% ${flag} %`)}`);
  return `SELECT * FROM jmdc.${asked.get("release") ? "released" : "measurement"}` +
    (conditions.length ? ` WHERE ${conditions.join(" AND ")}` : "");
}

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

async function search() {
  const state = new URLSearchParams(location.search);
  for (const field of fields) {
    field.value = state.get(field.name) ?? "";
  }
  const turn = latest += 1;
  part("results").ariaBusy = "true";
  try {
    const asked = parametersOf(state);
    const found = await answer("/jmdc/rows.json", asked);
    if (turn !== latest) {
      return;
    }
    part("trouble").replaceChildren();
    part("results").hidden = false;
    part("count").textContent = found.total ? `${counted(found.total, "measurement")} of ` +
      counted(found.stars, "star") : "Nothing found";
    showRows(found.rows, state);
    showPages(found.total, Number(state.get("page")) || 1, state);
    showYears(found.years);
    showExports(asked, adqlOf(asked, found.star_ids), found.total);
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

function showRows(rows, state) {
  const current = state.get("order") ?? "star";
  const heads = COLUMNS.map(([name, text]) => {
    if (!name) {
      return text;
    }
    const sorted = current.replace(/^-/, "") === name;
    const mark = sorted ? (current.startsWith("-") ? " ↓" : " ↑") : "";
    return element("a", { click: inPlace,
      href: changed(state, { order: current === name ? `-${name}` : name, page: 1 }) }, text + mark);
  });
  table(part("rows"), heads, rows.map((row) => [
    [link(starPage(row.star_id), row.id1), row.id2 === row.id1 ? "" : row.id2 ?? ""],
    both(row, "ld_diam"), both(row, "ud_diam"), both(row, "e_ld_diam"),
    [row.band ?? "–", wavelength(row)],
    [publication(row.bibcode), METHODS[row.method] ?? ""],
    [row.notes ?? "", element("span", { class: "flags" }, row.quality_flags)],
  ]));
  part("rows").hidden = !rows.length;
}

function showPages(total, page, state) {
  const last = Math.max(1, Math.ceil(total / PAGE));
  const step = (to, text) => (to < 1 || to > last ? null
    : element("a", { href: changed(state, { page: to }), click: inPlace, class: "button" }, text));
  part("pages").replaceChildren(...[
    step(page - 1, "← Previous"),
    last > 1 ? element("span", {}, `Page ${grouped(page)} of ${grouped(last)}`) : null,
    step(page + 1, "Next →"),
  ].filter(Boolean));
}

/** Measurements by year and method. */
function showYears(years) {
  part("years").hidden = years.length < 2;
  if (years.length < 2) {
    return;
  }
  const methods = [...new Set(years.map(([, method]) => method))].sort();
  const names = methods.map((method) => METHODS[method] ?? "method unknown");
  const first = Math.min(...years.map(([year]) => year));
  const length = Math.max(...years.map(([year]) => year)) - first + 1;
  const bins = Array.from({ length }, (_, index) => (
    { label: String(first + index), values: methods.map(() => 0) }));
  years.forEach(([year, method, n]) => {
    bins[year - first].values[methods.indexOf(method)] += n;
  });
  bins.forEach((bin) => {
    bin.title = bin.label + names.map((name, index) => [name, bin.values[index]])
      .filter(([, n]) => n).map(([name, n]) => `\n${name}: ${grouped(n)}`).join("");
  });
  part("years").firstElementChild.replaceChildren(barsPlot(names, bins), legend(names));
}

function showExports(asked, adql, total) {
  const own = new URLSearchParams(asked);
  ["page", "order"].forEach((name) => own.delete(name));
  const votable = resultUrl(adql, "votable/td");
  part("exports").replaceChildren(
    element("a", { class: "button", href: `/jmdc/measurements.csv?${own}`, download: "jmdc.csv" },
      "CSV"),
    element("a", { class: "button", href: votable, download: "jmdc.vot" }, "VOTable"),
    ...sampButton("Send to TOPCAT, Aladin", "The table, by SAMP", "table.load.votable",
      { url: votable, name: "JMDC", "table-id": "jmdc" }));
  part("exports").hidden = !total;
  part("adql").textContent = adql;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(`?${new URLSearchParams(fields.map((field) => [field.name, field.value.trim()])
    .filter(([, value]) => value))}`);
});
addEventListener("popstate", search);
showSummary(given());
search();
