// The list of measured diameters: criteria in the address, rows, numbers, exports.

import { counted, grouped } from "./format.mjs";
import { both, METHODS, publication, starPage, wavelength } from "./jmdc_values.mjs";
import { answer, Listing, part, yearsPlot } from "./listing.mjs";
import { element, given, link } from "./page.mjs";
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

const list = new Listing({ columns: COLUMNS, order: "star", find: search });

function showSummary(numbers) {
  const [last] = numbers.releases;
  part("totals").textContent = `${counted(numbers.measurements, "measurement")} of ` +
    `${counted(numbers.stars, "star")} from ${counted(numbers.publications, "publication")}` +
    (last ? `; last release ${last[0]}` : "") +
    (numbers.unreleased ? `, ${grouped(numbers.unreleased)} accepted since` : "") + ".";
  const option = (value, text) => element("option", { value }, text);
  list.form.elements.release.append(...numbers.releases.map(([name]) => option(name, name)));
  list.form.elements.band.append(...Array.from(BANDS, (band) => option(band, band)));
  list.form.elements.flags.append(...numbers.flags.map(([flag, n]) => option(flag, `${flag} (${n})`)));
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

async function search(current) {
  const asked = parametersOf(list.state);
  const found = await answer("/jmdc/rows.json", asked);
  if (!current()) {
    return;
  }
  part("count").textContent = found.total ? `${counted(found.total, "measurement")} of ` +
    counted(found.stars, "star") : "Nothing found";
  list.showRows(found.rows, resultRow);
  list.showPages(found.total, PAGE);
  showYears(found.years);
  showExports(asked, adqlOf(asked, found.star_ids), found.total);
}

function resultRow(row) {
  return [
    [link(starPage(row.star_id), row.id1), row.id2 === row.id1 ? "" : row.id2 ?? ""],
    both(row, "ld_diam"), both(row, "ud_diam"), both(row, "e_ld_diam"),
    [row.band ?? "–", wavelength(row)],
    [publication(row.bibcode), METHODS[row.method] ?? ""],
    [row.notes ?? "", element("span", { class: "flags" }, row.quality_flags)],
  ];
}

/** Measurements by year and method. */
function showYears(years) {
  part("years").hidden = years.length < 2;
  if (years.length < 2) {
    return;
  }
  const named = (method) => METHODS[method] ?? "method unknown";
  const methods = [...new Set(years.map(([, method]) => method))].sort();
  part("years").firstElementChild.replaceChildren(...yearsPlot(methods.map(named),
    years.map(([year, method, n]) => [named(method), year, n])));
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

showSummary(given());
list.start();
