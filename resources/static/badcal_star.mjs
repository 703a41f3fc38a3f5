// The page of a bad calibrator: its reports, what has become of them, where else it is.

import { counted } from "./format.mjs";
import { element, given } from "./page.mjs";
import { facts, numbers, place } from "./badcal_values.mjs";
import { history } from "./submission.mjs";

const part = (id) => document.getElementById(id);

const WORDS = {
  accepted: "a bad calibrator", submitted: "reported, not judged yet",
  candidate: "found by a program, not judged yet", rejected: "not accepted as a bad calibrator",
  withdrawn: "withdrawn",
};

function show({ star, reports }) {
  const name = star.name ?? `BadCal ${star.badcal_id}`;
  document.title = `${name} – JMMC data centre`;
  part("title").append(name, " ", element("span", { class: "badge" }, star.state));
  part("summary").textContent = `BadCal ${star.badcal_id}: ${WORDS[star.state]} ` +
    `(${star.reason_classes.replaceAll(" ", ", ")}); ${counted(star.n_reports, "report")}, ` +
    `${star.n_accepted} accepted. ${place(star.s_ra, star.s_dec)}`;
  const position = `${star.s_ra} ${star.s_dec}`;
  const button = (url, text) => element("a", { class: "button", href: url }, text);
  part("links").append(
    button("/badcal/", "All bad calibrators"),
    button(`/static/oidb.html?${new URLSearchParams({ target: position })}`, "In OiDB"),
    button(`/search?${new URLSearchParams({ target: position })}`, "In the observation logs"),
    button(`https://simbad.cds.unistra.fr/simbad/sim-coo?${new URLSearchParams({
      Coord: position, Radius: "10", "Radius.unit": "arcsec" })}`, "SIMBAD"),
    button(`/badcal/submit?${new URLSearchParams({
      name: star.name ?? "", ra: star.s_ra, dec: star.s_dec })}`, "Report it, too"),
    button(`/badcal/star/${star.badcal_id}.json`, "JSON"));
  part("reports").append(...reports.map((report) => element("section",
    { class: "submission", id: `r${report.report_id}` },
    element("h3", {}, `Report ${report.report_id} `,
      element("span", { class: "badge" }, report.state)),
    facts(report),
    numbers(report, report.candidate),
    element("details", {}, element("summary", {}, "What has happened"),
      history(report.history)))));
  part("star").hidden = false;
}

show(given());
