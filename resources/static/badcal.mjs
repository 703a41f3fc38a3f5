// The list of bad calibrators: criteria in the address, rows, exports.

import { counted, plain, sexagesimal } from "./format.mjs";
import { element, given, link, message } from "./page.mjs";
import { starPage } from "./badcal_values.mjs";
import { sampButton } from "./samp.mjs";
import { position } from "./search.mjs";
import { literal, number, resultUrl } from "./tap.mjs";

const part = (id) => document.getElementById(id);
const form = part("criteria");
const fields = Array.from(form.elements).filter((field) => field.name);
const stars = given();
const HEADS = ["BadCal", "Star", "Position", "State", "Reason", "Reports", "Observed with"];

const radians = (degrees) => degrees * Math.PI / 180;

/** Distance of a star from a position, deg (haversine). */
function distance(star, { ra, dec }) {
  const half = (one, other) => Math.sin(radians(one - other) / 2) ** 2;
  const h = half(star.s_dec, dec) +
    Math.cos(radians(dec)) * Math.cos(radians(star.s_dec)) * half(star.s_ra, ra);
  return 2 * Math.asin(Math.min(1, Math.sqrt(h))) * 180 / Math.PI;
}

/** The criteria, as a test of a star and as conditions in ADQL. */
function read() {
  const asked = Object.fromEntries(fields.map((field) => [field.name, field.value.trim()]));
  const tests = [];
  const conditions = [];
  if (asked.state !== "all") {
    const state = asked.state || "accepted";
    tests.push((star) => star.state === state);
    conditions.push(`s.state=${literal(state)}`);
  }
  if (asked.reason) {
    tests.push((star) => star.reason_classes.split(" ").includes(asked.reason));
    conditions.push(`' ' || s.reason_classes || ' ' LIKE ${literal(`% ${asked.reason} %`)}`);
  }
  if (asked.instrument) {
    tests.push((star) => (star.instruments ?? "").split(", ").includes(asked.instrument));
    conditions.push("s.badcal_id IN (SELECT r.badcal_id FROM badcal.report AS r " +
      `WHERE r.instrument=${literal(asked.instrument)})`);
  }
  const place = asked.star ? position(asked.star) : null;
  if (place) {
    const radius = asked.radius === "" ? 10 : Number(asked.radius);
    if (!(radius > 0 && radius <= 10800)) {
      throw new Error("The radius is a number of arcminutes, from above 0 to 10800.");
    }
    tests.push((star) => distance(star, place) <= radius / 60);
    conditions.push("1=CONTAINS(POINT('ICRS', s.s_ra, s.s_dec), CIRCLE('ICRS', " +
      `${number(place.ra)}, ${number(place.dec)}, ${number(radius / 60)}))`);
  } else if (asked.star) {
    const wanted = asked.star.toLowerCase();
    tests.push((star) => (star.name ?? "").toLowerCase().includes(wanted));
    conditions.push(`LOWER(s.name) LIKE ${literal(`%${wanted}%`)}`);
  }
  return {
    found: stars.filter((star) => tests.every((test) => test(star))),
    adql: `SELECT s.* FROM badcal.star AS s${conditions.length
      ? ` WHERE ${conditions.join(" AND ")}` : ""} ORDER BY s.badcal_id`,
  };
}

function showRows(found) {
  part("rows").replaceChildren(
    element("thead", {}, element("tr", {},
      ...HEADS.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...found.map((star) => element("tr", {}, ...[
      link(starPage(star.badcal_id), String(star.badcal_id)),
      star.name ?? "–",
      element("span", { title: `${plain(star.s_ra, 8)} ${plain(star.s_dec, 8)} deg` },
        sexagesimal(star.s_ra, star.s_dec)),
      star.state,
      star.reason_classes.replaceAll(" ", ", "),
      String(star.n_reports),
      star.instruments ?? "–",
    ].map((cell, index) => element("td", { "data-label": HEADS[index] }, cell))))));
}

function show() {
  try {
    const { found, adql } = read();
    part("trouble").replaceChildren();
    part("count").textContent = counted(found.length, "star");
    showRows(found);
    part("adql").textContent = adql;
    const button = (url, text) => element("a", { class: "button", href: url }, text);
    part("exports").replaceChildren(
      button(resultUrl(adql, "votable/td"), "VOTable"), button(resultUrl(adql, "csv"), "CSV"),
      button("/badcal-dsa/SubmitCone?" + new URLSearchParams({ DSACATTAB: "badcal.valid_stars",
        RA: 0, DEC: 0, SR: 180, Format: "Comma-Separated" }), "All accepted, as SearchCal reads"),
      ...sampButton("Send to TOPCAT, Aladin", "The stars, by SAMP", "table.load.votable",
        { url: resultUrl(adql, "votable/td"), name: "BadCal", "table-id": "badcal" }));
  } catch (error) {
    message(part("trouble"), error.message);
  }
  part("results").setAttribute("aria-busy", "false");
}

function search(event) {
  event?.preventDefault();
  const said = fields.filter((field) => field.value.trim())
    .map((field) => [field.name, field.value.trim()]);
  history.replaceState(null, "", said.length ? `?${new URLSearchParams(said)}` : location.pathname);
  show();
}

const accepted = stars.filter((star) => star.state === "accepted").length;
const candidates = stars.filter((star) => star.state === "candidate").length;
part("totals").textContent = `${counted(accepted, "bad calibrator")}` +
  (candidates ? `, ${counted(candidates, "candidate")}` : "") +
  `, of ${counted(stars.length, "star")} that were ever reported.`;
form.elements.instrument.append(...[...new Set(stars.flatMap((star) =>
  (star.instruments ?? "").split(", ").filter(Boolean)))].sort()
  .map((name) => element("option", {}, name)));
for (const [name, value] of new URLSearchParams(location.search)) {
  if (form.elements.namedItem(name)) {
    form.elements.namedItem(name).value = value;
  }
}
form.addEventListener("submit", search);
form.addEventListener("change", search);
show();
