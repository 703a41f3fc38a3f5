// How a report of a bad calibrator is shown, to everybody and to those who decide on it.

import { plain, sexagesimal } from "./format.mjs";
import { element, link } from "./page.mjs";

/** Address of the page of a star. */
export function starPage(number) {
  return `/badcal/star/${number}`;
}

/** A position in both forms. */
export function place(ra, dec) {
  return `${sexagesimal(ra, dec)} (${plain(ra, 8)} ${plain(dec, 8)} deg)`;
}

/** What a report says, as a list of facts. */
export function facts(report) {
  const rows = [
    ["Star", report.name],
    ["Position", place(report.s_ra, report.s_dec)],
    ["Reason", report.reason_class],
    ["Observed", [report.obs_date, report.interferometer, report.instrument]
      .filter(Boolean).join(", ")],
    ["Baseline", report.baseline],
    ["Wavelength", report.wavelength],
    ["Comment", report.comment],
    ["Evidence", report.evidence_url && link(report.evidence_url, report.evidence_url,
      { rel: "nofollow noreferrer" })],
    ["Reported", [report.submitted.slice(0, 10), reporter(report)].filter(Boolean).join(" by ")],
  ];
  return element("dl", { class: "facts" }, ...rows.filter(([, value]) => value)
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function reporter(report) {
  if (report.origin === "facility") {
    return report.facility;
  }
  if (report.origin === "program") {
    return "a program";
  }
  return [report.user_name ?? report.submitter, report.user_affiliation].filter(Boolean).join(", ");
}

/** The numbers and the plot behind a program's report; null for another one. */
export function numbers({ origin }, candidate) {
  if (!candidate) {
    return origin === "program" ? element("p", { class: "hint" }, "Its numbers and its plot are not " +
      "shown: some of the data that it was found in are private now, or not here any more.") : null;
  }
  const diameter = (value, error) => (value === null ? "not known"
    : `${plain(value, 3)}${error === null ? "" : ` ± ${plain(error, 2)}`} mas`);
  const rows = [
    ["Data", `${candidate.n_points} squared visibilities of ${candidate.n_nights} ` +
      `${candidate.n_nights === 1 ? "night" : "nights"}`],
    ["Expected", diameter(candidate.expected_diam, candidate.expected_diam_err) +
      (candidate.diam_source ? ` (${candidate.diam_source.toUpperCase()})` : "")],
    ["Fitted disk", diameter(candidate.ud_diam, candidate.ud_diam_err)],
    ["chi²", [["expected", candidate.chi2_expected], ["fitted disk", candidate.chi2_ud],
      ["binary", candidate.chi2_binary]].filter(([, value]) => value !== null)
      .map(([name, value]) => `${plain(value, 3)} (${name})`).join(", ")],
    ["Binary", candidate.separation === null ? null
      : `flux ratio ${plain(candidate.flux_ratio, 2)}, separation ` +
        `${plain(candidate.separation, 2)} mas, position angle ` +
        `${plain(candidate.position_angle, 3)}° or opposite; others may fit as well`],
  ];
  return element("div", {},
    element("dl", { class: "facts" }, ...rows.filter(([, value]) => value)
      .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    element("div", { class: "figures large" }, element("figure", {},
      element("img", { src: `/badcal/plot/${candidate.report_id}.png`, loading: "lazy",
        alt: "Squared visibilities against spatial frequency, with the expected disk" }))));
}
