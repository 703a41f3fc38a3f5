// The page of one exposure: facts, uv coverage, quality, links.

import {
  band, counted, duration, mas, plain, quantity, sexagesimal, siderealTime, utc,
} from "./format.mjs";
import {
  element, exposurePage, given, granulePage, link, message, schedulePage, targetPage,
} from "./page.mjs";
import { tracksPlot } from "./plot.mjs";
import { literal, query } from "./tap.mjs";

const part = (id) => document.getElementById(id);
const known = (value) => value !== null && value !== undefined && value !== "";

/** East longitudes of the arrays, in deg. */
const LONGITUDES = { VLTI: -70.4042, CHARA: -118.0570 };

function show({ log, coverage, flags }) {
  const { exposure, target, header } = log;
  showHead(exposure);
  showLinks(exposure, target, header);
  showFacts(exposure, target, header);
  showCoverage(exposure, log.baselines ?? [], coverage);
  showQuality(exposure, flags, log.grades ?? []);
  showBaselines(log.baselines ?? []);
  showSiblings(exposure, log.observation ?? []);
  part("exposure").hidden = false;
  part("all").addEventListener("toggle", () => showValues(exposure), { once: true });
}

function badge(text, kind = "") {
  return element("span", { class: `badge ${kind}` }, text);
}

function showHead(exposure) {
  const words = [exposure.target_name ?? (exposure.on_sky ? "Unnamed target" : "Not on the sky"),
    exposure.instrument_name, exposure.night].filter(Boolean);
  document.title = `${words.join(", ")} – JMMC data centre`;
  part("title").textContent = words.join(" · ");
  const stations = exposure.stations ? ` with ${exposure.stations.replaceAll(" ", "–")}` : "";
  part("summary").append(
    [exposure.facility_name ?? "unknown facility", exposure.instrument_mode,
      exposure.instrument_submode].filter(Boolean).join(", "), `${stations}. `,
    badge({ SCIENCE: "science", CALIB: "calibrator" }[exposure.dataproduct_category] ??
      "neither science nor calibrator"), " ",
    exposure.validation_level ? badge("valid") : badge("not valid", "secret"),
    ...(exposure.ob_grade ? [" ", badge(`grade ${exposure.ob_grade}`)] : []));
}

function showLinks(exposure, target, header) {
  const button = (url, text, first) => element("a",
    { class: first ? "button first" : "button", href: url }, text);
  const archived = header?.archive === "ESO" || exposure.facility_name === "VLTI";
  const name = exposure.target_name?.replaceAll("_", " ");
  part("links").append(...[
    archived && button(
      `https://archive.eso.org/dataset/${encodeURIComponent(exposure.header_id)}`,
      "Raw file at ESO", true),
    header?.kept && button(`/detail/header/${encodeURIComponent(exposure.header_id)}`, "Header"),
    target && button(targetPage(target.target_id), "All of this target"),
    name && exposure.on_sky && button(
      `https://simbad.cds.unistra.fr/simbad/sim-id?${new URLSearchParams({ Ident: name })}`,
      "SIMBAD"),
    exposure.progid && button(`/search?${new URLSearchParams({ program_id: exposure.progid })}`,
      "All of this programme"),
  ].filter(Boolean));
}

/** From one value to another, or the one that is known; null when none is. */
function change(start, end, write) {
  const values = [start, end].filter(known).map(write);
  if (!values.length) {
    return null;
  }
  return values.length === 1 || values[0] === values[1] ? values[0] : values.join(" → ");
}

function hours(value) {
  const minutes = Math.round(value * 60) % 1440;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function showFacts(exposure, target, header) {
  const e = exposure;
  const longitude = LONGITUDES[e.facility_name];
  const unit = (text, digits = 3) => (value) => `${plain(value, digits)}${text}`;
  const joined = (...words) => words.filter(known).join(", ") || null;
  const some = (value, write) => (known(value) ? write(value) : null);
  const programme = e.progid && (e.facility_name === "VLTI"
    ? link(schedulePage(e.progid), e.progid) : e.progid);
  const facts = [
    ["Target", [
      target && link(targetPage(target.target_id), target.target_name),
      target && e.target_name && e.target_name !== target.target_name
        ? ` (here ${e.target_name})` : target ? null : e.target_name],
      e.s_ra === null ? null : `${sexagesimal(e.s_ra, e.s_dec)}, ` +
        `${plain(e.s_ra, 8)} ${plain(e.s_dec, 8)} deg`],
    ["Time (UTC)", [e.t_min === null ? null : utc(e.t_min),
      e.t_max === null ? null : ` to ${utc(e.t_max).slice(11)}`],
      joined(some(e.t_exptime, duration), some(e.t_min, (time) => `MJD ${time.toFixed(6)}`),
        some(e.night, (night) => `night of ${night}`),
        longitude && some(e.t_min, (time) => `LST ${hours(siderealTime(time, longitude))}`))],
    ["Set-up", [joined(e.instrument_name, e.instrument_mode, e.instrument_submode)],
      joined(e.em_min === null || e.em_max === null ? null : band(e.em_min, e.em_max),
        some(e.em_res_power, unit("", 4)) && `resolution ${plain(e.em_res_power, 4)}`,
        some(e.ndit, (ndit) => `${ndit} × ${known(e.dit) ? `${plain(e.dit)} s` : "frames"}`),
        some(e.ft_sensor, (sensor) => `fringe tracker ${sensor} ${e.ft_status ?? ""}`.trim()))],
    ["Stations", [e.stations],
      joined(e.uv_distance_max === null ? null
        : `${plain(e.uv_distance_min, 3)}–${plain(e.uv_distance_max, 3)} m`,
      some(e.s_resolution, mas), some(e.pops, (pops) => `PoPs ${pops}`),
      some(e.channels, (channels) => `channels ${channels}`))],
    ["Programme", [programme],
      joined(e.prog_title, e.datapi)],
    ["Observation block", [joined(e.ob_name, e.ob_id)],
      joined(some(e.template_id, (name) => `template ${name}`),
        some(e.template_number, (number) => `exposure ${number}` +
          (known(e.template_total) ? ` of ${e.template_total}` : "")),
        some(e.template_start, (time) => `begun ${time.slice(0, 19).replace("T", " ")}`))],
    ["Seeing, coherence", [joined(
      change(e.seeing_start, e.seeing_end, unit("″")),
      change(e.tau0_start, e.tau0_end, (value) => `${plain(value * 1e3, 3)} ms`))],
      joined(some(change(e.airmass_start, e.airmass_end, unit("")), (text) => `airmass ${text}`),
        some(change(e.pwv_start, e.pwv_end, unit(" mm")), (text) => `water ${text}`))],
    ["Weather", [joined(
      some(e.temperature, unit(" °C")), some(e.humidity, unit(" % humidity")),
      some(e.wind_speed, (speed) => `wind ${plain(speed, 3)} m/s` +
        (known(e.wind_direction) ? ` from ${Math.round(e.wind_direction)}°` : "")),
      some(e.pressure, unit(" hPa", 4)))], null],
    ["In the log", [joined(e.dpr_catg, e.dpr_type, e.dpr_tech)],
      joined(e.header_id, header?.withdrawn && `withdrawn ${header.withdrawn.slice(0, 10)}`,
        some(e.obs_release_date, (date) => (new Date(`${date}Z`) > new Date()
          ? `private until ${date.slice(0, 10)}` : `public since ${date.slice(0, 10)}`)))],
  ];
  part("facts").append(element("dl", { class: "facts" }, ...facts.flatMap(
    ([name, words, second]) => {
      const shown = words.filter(known);
      return shown.length || known(second) ? [element("dt", {}, name), element("dd", {},
        ...shown, known(second) ? element("div", { class: "second" }, second) : null)] : [];
    })));
}

function track(row) {
  return [row.u_start, row.v_start, row.u_end, row.v_end];
}

function showCoverage(exposure, baselines, coverage) {
  const own = baselines.filter((row) => row.u_start !== null && row.v_start !== null).map(track);
  const others = Object.values(coverage).flat();
  if (!own.length && !others.length) {
    part("uv").remove();
    return;
  }
  part("uv").firstElementChild.append(tracksPlot([
    { name: "", tracks: others, kind: "faint" },
    { name: exposure.instrument_name, tracks: own, kind: "strong" },
  ]));
  part("uv").querySelector("figcaption").textContent = own.length
    ? "uv coverage: this exposure, and faintly what else there is of the target"
    : "uv coverage of the target: of this exposure it is not known";
}

function showQuality(exposure, flags, grades) {
  let lacks = [];
  try {
    lacks = JSON.parse(exposure.validation_log);
  } catch {
    lacks = [exposure.validation_log]; // not what it should be, but what there is
  }
  part("validity").textContent = exposure.validation_level
    ? "The log has all that makes the exposure usable."
    : "The exposure is not usable as it is" + (lacks.length ? ":" : ".");
  part("lacks").append(...lacks.map((text) => element("li", {}, String(text))));
  part("lacks").hidden = !lacks.length;
  part("flags").append(...flags.flatMap(([flag, words]) => [
    element("dt", {}, flag), element("dd", {}, words ?? "")]));
  part("flags").hidden = !flags.length;
  part("grades").append(...grades.map(([grade, date, comment, source]) => element("li", {},
    [`Grade ${grade} of the observation block`, date, comment, source && `by ${source}`]
      .filter(Boolean).join(", "))));
  part("grades").hidden = !grades.length;
}

function showBaselines(rows) {
  const heads = ["Stations", "Length (m)", "Angle (deg)", "u (m)", "v (m)"];
  const fixed = (value) => (value === null ? "–" : value.toFixed(2));
  const pair = (row, name) => (row[`${name}_end`] === null ? fixed(row[`${name}_start`])
    : `${fixed(row[`${name}_start`])} → ${fixed(row[`${name}_end`])}`);
  part("lines").hidden = !rows.length;
  part("baselines").append(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {},
      ...[`${row.station1}–${row.station2}`, ...["length", "angle", "u", "v"]
        .map((name) => pair(row, name))]
        .map((text, index) => element("td", { "data-label": heads[index] }, text))))));
}

function showSiblings(exposure, rows) {
  part("siblings").hidden = rows.length < 2;
  if (rows.length < 2) {
    return;
  }
  part("siblings").querySelector("ul").append(...rows.map(([id, time, valid]) => {
    const text = `${time === null ? id : utc(time)}${valid ? "" : " (not valid)"}`;
    return element("li", {},
      id === exposure.exposure_id ? element("b", {}, text) : link(exposurePage(id), text));
  }));
}

/** Granules of OiDB whose files were made of this raw file. */
async function showGranules(exposure) {
  const rows = await query("SELECT DISTINCT g.obs_publisher_did, g.target_name, g.insname, " +
    "g.night, f.file_name FROM oidb.progenitor AS p JOIN oidb.granule AS g " +
    "ON g.file_id=p.file_id JOIN oidb.file AS f ON f.file_id=p.file_id " +
    `WHERE p.dp_id=${literal(exposure.header_id)} ORDER BY file_name`);
  part("granules").hidden = !rows.length;
  part("granules").querySelector("h2").textContent =
    `${counted(rows.length, "granule")} of OiDB made from it`;
  part("granules").querySelector("ul").append(...rows.map((row) => element("li", {},
    link(granulePage(row.obs_publisher_did),
      [row.target_name, row.insname, row.night].filter(Boolean).join(", ")),
    ` in ${row.file_name}`)));
}

/** All columns of the exposure with what the table says of them. */
async function showValues(exposure) {
  try {
    const columns = await query("SELECT column_name, description, unit, ucd FROM " +
      "tap_schema.columns WHERE table_name='obsportal.exposure' ORDER BY column_index");
    part("values").replaceChildren(element("tbody", {}, ...columns
      .filter(({ column_name: name }) => known(exposure[name]))
      .map(({ column_name: name, description, unit, ucd }) => element("tr", {},
        element("th", { scope: "row" }, name),
        element("td", {}, quantity(exposure[name], unit, ucd ?? "")),
        element("td", {}, description)))));
  } catch (error) {
    message(part("all"), error.message);
  }
}

const data = given();
show(data);
// The page is complete without them.
showGranules(data.log.exposure).catch((error) => message(part("trouble"), error.message));
