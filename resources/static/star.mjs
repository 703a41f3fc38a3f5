// The page of a star: what all data sets have on it, or the stars that a search may mean.

import { starPage as reportsPage } from "./badcal_values.mjs";
import { counted, grouped, plain, sexagesimal } from "./format.mjs";
import { METHODS, starPage as diametersPage } from "./jmdc_values.mjs";
import { element, given, link, message, publicationPage, targetPage } from "./page.mjs";
import { bar } from "./plot.mjs";
import { resultUrl } from "./tap.mjs";

/** Bits of JSDC's calibrator flag, in words. */
const CAUTIONS = [
  [1, "the estimates of its diameter disagree (chi2 above 5)"],
  [2, "it is a double star, closer than 1″"],
  [4, "SIMBAD has it as of a type that may be binary or pulsating"],
  [8, "neighbours make its photometry doubtful"],
];
const STATES = {
  accepted: "Reported as a bad calibrator, and accepted as such",
  submitted: "Reported as a bad calibrator; the report is not judged yet",
  candidate: "Found by a program to be suspicious; not judged yet",
  withdrawn: "A report that it is a bad calibrator was taken back",
  rejected: "A report that it is a bad calibrator was rejected",
};
/** Measurements that are shown at first. */
const SHORT = 15;

const part = (id) => document.getElementById(id);

/** Address of the page of a star. */
const starPage = (number) => `/star/${number}`;

/** An error of a diameter; nothing when it is not known. */
const error = (value) => (value === null ? "" : ` ± ${plain(value, 2)}`);

function table(place, heads, rows) {
  place.replaceChildren(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map(
      (cell, index) => element("td", { "data-label": heads[index] }, cell))))));
}

/** How the same is asked for by ADQL: the query, and its result. */
function source(place, adql, ...more) {
  if (!adql) {
    return;
  }
  place.append(...more,
    element("a", { class: "button", href: resultUrl(adql, "votable") }, "VOTable"),
    element("a", { class: "button", href: resultUrl(adql, "csv") }, "CSV"),
    element("details", {}, element("summary", {}, "ADQL"), element("pre", {}, adql)));
}

const button = (url, text) => element("a", { class: "button", href: url }, text);

function show(data) {
  document.querySelector("form [name=name]").value = data.asked ?? "";
  if (data.words) {
    message(part("words"), data.words, data.stars ? "note" : "problem");
  }
  if (data.stars) {
    showFound(data.stars);
  } else if (data.star) {
    showStar(data);
  }
}

function showFound(stars) {
  table(part("found").querySelector("table"),
    ["Star", "Position", "Observed", "OiDB", "Diameters", "Away"],
    stars.map((star) => [
      link(starPage(star.star_id), star.star_name),
      sexagesimal(star.s_ra, star.s_dec),
      counted(star.n_vlti_exposures + star.n_chara_exposures, "exposure"),
      counted(star.n_granules, "granule"),
      star.n_measurements ? `${star.n_measurements} measured`
        : star.jsdc_id === null ? "–" : "computed",
      star.separation === undefined ? "–" : `${plain(star.separation, 3)}″`]));
  part("found").hidden = false;
}

function showStar({ star, names, neighbours, queries, ...sets }) {
  document.title = `${star.star_name} – JMMC data centre`;
  part("title").textContent = star.star_name;
  const motion = star.pm_ra === null || star.pm_dec === null ? ""
    : `, moving by ${plain(star.pm_ra)} and ${plain(star.pm_dec)} mas a year`;
  part("summary").append(`${sexagesimal(star.s_ra, star.s_dec)} (${plain(star.s_ra, 8)} ` +
    `${plain(star.s_dec, 8)} deg)${motion}.${sets.jsdc?.sp_type ? ` ${sets.jsdc.sp_type}.` : ""}`);
  const place = `${star.s_ra} ${star.s_dec}`;
  part("links").append(
    button(`${starPage(star.star_id)}.json`, "All of it as JSON"),
    button(`https://simbad.cds.unistra.fr/simbad/sim-coo?${new URLSearchParams({
      Coord: place, Radius: "10", "Radius.unit": "arcsec" })}`, "SIMBAD"));
  part("names").append(...(names ?? []).filter((name) => name !== star.star_name)
    .map((name) => element("span", {}, name)));
  showCalibrator(sets, queries);
  showDiameters(sets, queries);
  showLogs(star, sets.obsportal, queries);
  showGranules(star, sets.oidb, place, queries);
  showPublications(sets.publications ?? []);
  part("neighbours").hidden = !neighbours;
  part("neighbours").querySelector("ul").append(...(neighbours ?? []).map(
    ([number, name, separation]) => element("li", {}, link(starPage(number), name),
      `, ${plain(separation, 3)}″ away`)));
  part("star").hidden = false;
}

function showCalibrator({ jsdc, badcal }, queries) {
  const entries = [];
  for (const report of badcal ?? []) {
    const words = STATES[report.state] ?? report.state;
    entries.push([`${words}${report.reason_classes ? ` (${report.reason_classes})` : ""}: `,
      link(reportsPage(report.badcal_id), counted(report.n_reports, "report")), "."]);
  }
  if (queries.badcal && !badcal) {
    entries.push(["Nobody has reported it as a bad calibrator."]);
  }
  if (!jsdc) {
    entries.push(["JSDC does not have it."]);
  } else if (jsdc.cal_flag === null) {
    entries.push(["JSDC does not say whether anything speaks against it."]);
  } else {
    const cautions = CAUTIONS.filter(([bit]) => jsdc.cal_flag & bit).map(([, words]) => words);
    entries.push([cautions.length ? `JSDC warns: ${cautions.join("; ")}.`
      : "Nothing in JSDC speaks against it."]);
  }
  part("calibrator").querySelector("ul").append(
    ...entries.map((words) => element("li", {}, ...words)));
  source(part("calibrator").querySelector(".actions"), queries.badcal);
}

function showDiameters({ jsdc, jmdc }, queries) {
  const place = part("diameters");
  const rows = [];
  if (jsdc?.ldd !== null && jsdc?.ldd !== undefined) {
    rows.push(["JSDC, computed", "–",
      `${plain(jsdc.udd_k)} (K)`, `${plain(jsdc.ldd)}${error(jsdc.e_ldd)}`, ""]);
  }
  const measured = (jmdc ?? []).map((row) => [
    METHODS[row.method] ?? "measured", row.band ?? "–",
    row.ud === null ? "–" : `${plain(row.ud)}${error(row.e)}`,
    row.ld === null ? "–" : `${plain(row.ld)}${error(row.e)}`,
    row.bibcode && /^[12]/.test(row.bibcode) ? link(publicationPage(row.bibcode), row.bibcode)
      : row.bibcode ?? ""]);
  const total = measured.length;
  place.querySelector("p").textContent = total || rows.length
    ? `${total ? counted(total, "measurement") : "No measurement"} in JMDC` +
      `${rows.length ? "; JSDC has computed it from photometry." : "."} Diameters are in mas.`
    : "Neither measured (JMDC) nor computed (JSDC).";
  const draw = (number) => table(place.querySelector("table"),
    ["Method", "Band", "Uniform disk", "Limb-darkened", "Publication"],
    [...rows, ...measured.slice(0, number)]);
  if (total || rows.length) {
    draw(SHORT);
  }
  const actions = place.querySelector(".actions");
  if (total > SHORT) {
    const more = element("button", { type: "button", click: () => {
      draw(total);
      more.remove();
    } }, `All ${total} measurements`);
    actions.append(more);
  }
  if (total) {
    source(actions, queries.jmdc,
      button(diametersPage(jmdc[0].star_id), "Against wavelength, with flags"));
  }
  source(actions, jsdc ? queries.jsdc : undefined);
}

/** Rows by instrument: exposures or granules, with how many nights between which. */
function byInstrument(rows, noun) {
  const most = Math.max(1, ...rows.map((row) => row.n));
  return [["Facility", "Instrument", noun, "Nights", "Between"], rows.map((row) => [
    row.facility ?? "unknown", row.instrument ?? "unknown",
    element("span", { class: "counted" }, bar(row.n / most), grouped(row.n)),
    grouped(row.nights),
    row.first === null ? "–" : row.first === row.last ? row.first
      : `${row.first} and ${row.last}`])];
}

function showLogs(star, logs, queries) {
  const place = part("logs");
  const rows = logs?.instruments ?? [];
  const targets = logs?.targets ?? [];
  place.querySelector("p").textContent = rows.length
    ? `${counted(star.n_vlti_exposures, "exposure")} by VLTI, ` +
      `${grouped(star.n_chara_exposures)} by CHARA.`
    : "No exposure of it is in the observation logs.";
  if (rows.length) {
    table(place.querySelector("table"), ...byInstrument(rows, "Exposures"));
  }
  const actions = place.querySelector(".actions");
  actions.append(...targets.map(([number, name]) => button(targetPage(number),
    targets.length === 1 ? "Coverage and nights" : `Target ${name}`)));
  if (rows.length) {
    source(actions, queries.obsportal, button(`/search?${new URLSearchParams({
      target_id: targets.map(([number]) => number).join(",") })}`, "All exposures"));
  }
}

function showGranules(star, granules, position, queries) {
  const place = part("granules");
  const rows = granules ?? [];
  place.querySelector("p").textContent = rows.length
    ? `${counted(star.n_granules, "granule")}.` : "OiDB has none.";
  if (rows.length) {
    table(place.querySelector("table"), ...byInstrument(rows, "Granules"));
    source(place.querySelector(".actions"), queries.oidb,
      button(`/static/oidb.html?${new URLSearchParams({ target: position, radius: "0.1" })}`,
        "Search OiDB there"));
  }
}

/** Publications by their bibcodes, with what they have on the star. */
function showPublications(publications) {
  const uses = { diameter: "its diameter", data: "data of it" };
  part("publications").hidden = !publications.length;
  part("publications").querySelector("ul").append(...publications.map(([bibcode, kinds, title]) =>
    element("li", {}, link(publicationPage(bibcode), bibcode), title ? `, ${title}` : "",
      `: ${kinds.map((kind) => uses[kind] ?? kind).join(", ")}`)));
}

show(given());
