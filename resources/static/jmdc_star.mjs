// The page of a star: what was measured of it, against wavelength and as a table.

import { counted, plain, sexagesimal } from "./format.mjs";
import { both, METHODS, publication, wavelength } from "./jmdc_values.mjs";
import { table } from "./listing.mjs";
import { element, given, link, targetPage } from "./page.mjs";
import { scatterPlot } from "./plot.mjs";
import { number, query } from "./tap.mjs";

const part = (id) => document.getElementById(id);

const IDENTITY = {
  unresolved: "Its position is not known.",
  sinpe: "Its name does not tell which component of a close double star is meant.",
  component: "It is a component of a multiple star.",
  system: "Several components are meant together.",
  close: "Another star of JMDC is within 5 arcsec.",
};

function show({ jmdc, rules }) {
  const { star, aliases, measurements } = jmdc;
  const current = measurements.filter((row) => row.is_current);
  document.title = `${star.star_name} in JMDC – JMMC data centre`;
  part("title").textContent = star.star_name;
  showHead(star, current);
  showLinks(star);
  showPlot(current);
  showRows(current);
  showFormer(measurements.filter((row) => !row.is_current));
  part("names").append(...[...new Set(aliases.map(([alias]) => alias))].map(
    (alias) => element("span", {}, alias)));
  showFlags(current, rules);
  part("star").hidden = false;
  showOthers(star);
}

function showHead(star, current) {
  const place = star.s_ra === null ? ""
    : `${sexagesimal(star.s_ra, star.s_dec)} (${plain(star.s_ra, 8)} ${plain(star.s_dec, 8)} deg). `;
  const doubts = star.identity_flags.split(" ").map((flag) => IDENTITY[flag]).filter(Boolean);
  const papers = new Set(current.map((row) => row.bibcode)).size;
  part("summary").textContent = `${place}${counted(current.length, "measurement")} in ` +
    `${counted(papers, "publication")}. ${doubts.join(" ")}`;
}

function showLinks(star) {
  const button = (url, text, first) => element("a", { class: `button${first ? " first" : ""}`,
    href: url }, text);
  const simbad = (page, parameters) =>
    `https://simbad.cds.unistra.fr/simbad/${page}?${new URLSearchParams(parameters)}`;
  part("links").append(
    button(`/jmdc/submit?${new URLSearchParams({ id1: star.star_name })}`, "Add a measurement",
      true),
    button(`/star?${new URLSearchParams({ name: star.star_name })}`, "In all data sets"),
    button(`/jmdc/?${new URLSearchParams({ star: star.star_name })}`, "As a list, for downloads"),
    button(star.s_ra === null ? simbad("sim-id", { Ident: star.star_name })
      : simbad("sim-coo", { Coord: `${star.s_ra} ${star.s_dec}`, Radius: "10",
        "Radius.unit": "arcsec" }), "SIMBAD"));
}

/** What the other data sets have at a place: its label, the query, and a row of the answer in words.
 *
 * They meet in ADQL, so that is what they are asked in.
 */
function others(star) {
  const cone = (ra, dec) => `1=CONTAINS(POINT('ICRS', ${ra}, ${dec}), CIRCLE('ICRS', ` +
    `${number(star.s_ra)}, ${number(star.s_dec)}, 5/3600.))`;
  const place = new URLSearchParams({ target: `${star.s_ra} ${star.s_dec}` });
  return [
    ["Observed by VLTI, CHARA", "SELECT target_id, target_name, n_exposures FROM obsportal.target " +
      `WHERE merged_into IS NULL AND n_exposures>0 AND ${cone("s_ra", "s_dec")}`,
    (row) => [link(targetPage(row.target_id), row.target_name),
      `, ${counted(row.n_exposures, "exposure")}`]],
    ["Reduced data (OiDB)", "SELECT COUNT(*) AS n FROM oidb.granule " +
      `WHERE ${cone("s_ra", "s_dec")} HAVING COUNT(*)>0`,
    (row) => [link(`/static/oidb.html?${place}`, counted(row.n, "granule"))]],
    ["Computed diameter (JSDC)", "SELECT name, ldd, e_ldd, cal_flag FROM jsdc.star " +
      `WHERE ${cone("ra", "dec")}`,
    (row) => [`${row.name}: limb-darkened ${plain(row.ldd, 4)} ± ${plain(row.e_ldd, 2)} mas, ` +
      `CalFlag ${row.cal_flag ?? "–"}`]],
    ["Bad calibrator (BadCal)", "SELECT badcal_id, name, state, reason_classes FROM badcal.star " +
      `WHERE ${cone("s_ra", "s_dec")}`,
    (row) => [link(`/badcal/star/${number(row.badcal_id)}`, row.name ?? `star ${row.badcal_id}`),
      `: ${row.state}${row.reason_classes ? `, ${row.reason_classes}` : ""}`]],
  ];
}

async function showOthers(star) {
  if (star.s_ra !== null) {
    part("elsewhere").hidden = false;
    const places = others(star).map(([text, adql, tell]) => {
      const place = element("dd", {}, "…");
      part("elsewhere").querySelector("dl").append(element("dt", {}, text), place);
      return query(adql).then(
        (rows) => place.replaceChildren(...(rows.length ? rows.map((row) =>
          element("div", {}, ...tell(row))) : ["–"])),
        (error) => place.replaceChildren(error.message));
    });
    await Promise.all(places);
  }
  part("elsewhere").ariaBusy = "false"; // all is there, or told
}

/** The points of a plot for a measurement: what is published, and what should be used instead. */
function pointsOf(row) {
  const x = [row.wavelength_min * 1e6, row.wavelength_max * 1e6];
  return ["ld", "ud"].flatMap((kind) => {
    const [value, right] = [row[`${kind}_diam`], row[`corrected_${kind}_diam`]];
    const name = kind === "ld" ? "limb-darkened" : "uniform disk";
    const title = (number, words) => `${plain(number, 6)} mas, ${name}${words}\n` +
      `${row.band ?? ""} · ${row.bibcode ?? "no bibcode"}`;
    const points = [];
    if (value !== null) {
      points.push({ x, y: value, error: row.e_ld_diam, href: `#m${row.measurement_id}`,
        kind: `${kind}${row.quality_flags ? " wrong" : ""}`,
        title: title(value, row.quality_flags ? ` – ${row.quality_flags}` : "") });
    }
    if (right !== null && right !== value) {
      points.push({ x, y: right, error: row.corrected_e_ld_diam, kind: `${kind} corrected`,
        href: `#m${row.measurement_id}`, title: title(right, `, corrected – ${row.correction}`) });
    }
    return points;
  });
}

function rank({ kind }) {
  return kind.includes("corrected") ? 2 : kind.includes("wrong") ? 0 : 1;
}

function showPlot(current) {
  const placed = current.filter((row) => row.wavelength_min !== null);
  // What should be used lies on top.
  const points = placed.flatMap(pointsOf).sort((one, other) => rank(one) - rank(other));
  if (!points.length) {
    part("diameters").remove();
    return;
  }
  part("diameters").firstElementChild.append(scatterPlot(points,
    { xLabel: "wavelength (µm)", yLabel: "diameter (mas)", name: "diameters" }));
  const missing = current.length - placed.length;
  part("beyond").textContent = missing
    ? `${counted(missing, "measurement")} without a wavelength ${missing === 1 ? "is" : "are"} not shown.`
    : "";
}

function showRows(current) {
  table(part("rows"), ["Band", "Limb-darkened", "Uniform disk", "Error", "Publication", "Notes", ""],
    current.map((row) => [
      [row.band ?? "–", wavelength(row)],
      both(row, "ld_diam"), both(row, "ud_diam"), both(row, "e_ld_diam"),
      [publication(row.bibcode), [METHODS[row.method], row.id2].filter(Boolean).join(", ")],
      [row.notes ?? "", element("span", { class: "flags" },
        [row.quality_flags, row.correction].filter(Boolean).join(": "))],
      link(`/jmdc/submit?${new URLSearchParams({ corrects: row.measurement_id })}`, "Correct"),
    ]));
  part("rows").querySelectorAll("tbody tr").forEach((row, index) => {
    row.id = `m${current[index].measurement_id}`;
  });
}

function showFormer(former) {
  part("former").hidden = !former.length;
  table(part("former").querySelector("table"),
    ["Releases", "Limb-darkened", "Uniform disk", "Error", "Publication", "Notes"],
    former.map((row) => [
      row.release_first === row.release_last ? row.release_first ?? "none"
        : `${row.release_first} to ${row.release_last}`,
      plain(row.ld_diam, 6), plain(row.ud_diam, 6), plain(row.e_ld_diam, 6),
      [publication(row.bibcode), row.band ?? ""], row.notes ?? "",
    ]));
}

function showFlags(current, rules) {
  const flags = [...new Set(current.flatMap((row) => row.quality_flags.split(" ")))]
    .filter(Boolean).sort();
  part("flags").hidden = !flags.length;
  part("flags").querySelector("dl").append(...flags.flatMap((flag) => [
    element("dt", {}, flag), element("dd", {}, rules[flag] ?? "")]));
}

show(given());
