// The numbers on the home page.

import { counted, grouped, utc } from "./format.mjs";
import { element, link, message } from "./page.mjs";
import { bar } from "./plot.mjs";
import { query } from "./tap.mjs";

const part = (id) => document.getElementById(id);

function searchFor(name, value) {
  return `/static/oidb.html?${new URLSearchParams({ [name]: value })}`;
}

function years(...nights) {
  const [first, last] = nights.map((night) => night?.slice(0, 4));
  return first === last ? first : `${first}–${last}`;
}

async function show() {
  const [[totals], [files], instruments] = await Promise.all([
    query("SELECT COUNT(*) AS granules, COUNT(DISTINCT target_name) AS targets, " +
      "COUNT(DISTINCT obs_collection) AS collections FROM oidb.granule"),
    query("SELECT COUNT(*) AS n FROM oidb.file"),
    query("SELECT facility_name, instrument_name, COUNT(*) AS granules, " +
      "COUNT(DISTINCT target_name) AS targets, MIN(night) AS first_night, " +
      "MAX(night) AS last_night FROM oidb.granule GROUP BY facility_name, instrument_name " +
      "ORDER BY facility_name, granules DESC"),
  ]);
  part("totals").textContent = `${totals.granules} granules of ${totals.targets} targets, from ` +
    `${files.n} files in ${totals.collections} collections.`;
  const most = Math.max(...instruments.map((row) => row.granules));
  const heads = ["Facility", "Instrument", "Granules", "Targets", "Years"];
  part("instruments").replaceChildren(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...instruments.map((row, index) => {
      const cells = [
        index && instruments[index - 1].facility_name === row.facility_name ? ""
          : row.facility_name && link(searchFor("facility", row.facility_name), row.facility_name),
        row.instrument_name && link(searchFor("instrument", row.instrument_name),
          row.instrument_name),
        element("span", { class: "counted" }, bar(row.granules / most), String(row.granules)),
        String(row.targets),
        years(row.first_night, row.last_night),
      ];
      return element("tr", {}, ...cells.map((cell) => element("td", {}, cell ?? "unknown")));
    })));
}

/** What the observation logs have, in a sentence. */
async function showLogs() {
  const response = await fetch("/statistics.json");
  if (!response.ok) {
    throw new Error("The observation logs cannot be counted now.");
  }
  const numbers = await response.json();
  const years = [numbers.first, numbers.last].map((time) => (time === null ? "" : utc(time)));
  part("logs").replaceChildren(
    "The observation logs of VLTI and CHARA: ",
    numbers.exposures ? `${counted(numbers.exposures, "exposure")} of ` +
      `${counted(numbers.targets, "target")}, ${years.map((time) => time.slice(0, 4)).join("–")}. `
      : "no exposures yet. ",
    link("/search", "Search"), ", ", link("/statistics", "statistics"), ".");
}

/** What the catalogues of stars have, in a sentence. */
async function showStars() {
  const response = await fetch("/star/counts.json");
  if (!response.ok) {
    throw new Error("The catalogues of stars cannot be counted now.");
  }
  const numbers = await response.json();
  const told = [
    [numbers.jsdc_stars, "star with a computed diameter", "stars with a computed diameter (JSDC)"],
    [numbers.measurements, "measured diameter", "measured diameters (JMDC)"],
    [numbers.bad_calibrators, "bad calibrator", "bad calibrators (BadCal)"],
  ].filter(([number]) => number !== undefined)
    .map(([number, one, many]) => `${grouped(number)} ${number === 1 ? one : many}`);
  part("stars").replaceChildren(`The catalogues: ${told.join(", ")}; ` +
    `${counted(numbers.stars, "star")} in all data sets. `, link("/star", "Search a star"), ".");
}

showStars().catch((error) => message(part("stars"), error.message));
showLogs().catch((error) => message(part("logs"), error.message));
try {
  await show();
} catch (error) {
  message(part("totals"), error.message);
}
