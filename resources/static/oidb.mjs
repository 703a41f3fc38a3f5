// The page that searches OiDB: form and query string, results, plots, exports.

import { band, counted, mas, plain, sexagesimal, size } from "./format.mjs";
import { Listing, part } from "./listing.mjs";
import { element, granulePage, link, message } from "./page.mjs";
import { skyPlot, uvPlot } from "./plot.mjs";
import { sampButton } from "./samp.mjs";
import { BANDS, order, position, positionsOf, selection } from "./search.mjs";
import { query, resultUrl } from "./tap.mjs";

const PAGE = 25;
const NEWEST_FIRST = "-night";
const COLUMNS = [
  ["target", "Target"], ["night", "Night"], ["instrument", "Instrument"],
  ["wavelength", "Wavelengths"], ["baseline", "Baselines"], [null, "Contents"], [null, "File"],
];

const list = new Listing({ columns: COLUMNS, order: NEWEST_FIRST, find: search });

/** Counts the drawings of the uv plane, so that a late answer for an old one is dropped. */
let drawings = 0;

/** Does what the query string says. */
async function search(current) {
  const criteria = list.criteria();
  const where = selection(criteria, await positions(criteria.target));
  const sorting = order(list.order);
  const [[totals], rows] = await Promise.all([
    query("SELECT COUNT(*) AS granules, COUNT(DISTINCT g.file_id) AS files, " +
      `COUNT(DISTINCT g.target_name) AS targets ${where}`),
    query("SELECT " + `TOP ${PAGE} g.granule_id, g.obs_publisher_did, g.target_name, g.s_ra, ` +
      "g.s_dec, g.night, g.facility_name, g.instrument_name, g.insname, g.instrument_mode, " +
      "g.stations, g.em_min, g.em_max, g.em_xel, g.uv_distance_min, g.uv_distance_max, " +
      "g.s_resolution, g.nb_vis2_points, g.nb_t3_points, g.dataproduct_category, " +
      "g.obs_collection, g.access_url, g.obs_release_date, f.file_name, f.file_size, " +
      `f.data_rights ${where} ${sorting} OFFSET ${(list.page - 1) * PAGE}`),
  ]);
  if (!current()) {
    return;
  }
  showTotals(totals);
  showRows(rows);
  list.showPages(totals.granules, PAGE);
  showExports(`SELECT g.*, f.file_name, f.file_size, f.data_rights ${where} ${sorting}`);
  await Promise.all([showCoverage(rows), showSky(where, current)]);
}

/** Where the target of a search is, by its coordinates or by its name in OiDB. */
async function positions(target) {
  if (!target) {
    return [];
  }
  const given = position(target);
  if (given) {
    return [given];
  }
  const found = await query(positionsOf(target));
  return found.map((row) => ({ ra: row.s_ra, dec: row.s_dec }));
}

function showTotals({ granules, files, targets }) {
  part("count").textContent = granules
    ? `${counted(granules, "granule")} of ${counted(targets, "target")} in ${counted(files, "file")}`
    : "Nothing found";
}

function showRows(rows) {
  list.showRows(rows, resultRow, (row) => element("input", {
    type: "checkbox", value: row.obs_publisher_did,
    "aria-label": `Plot the uv coverage of ${row.target_name}, ${row.night}`,
  }));
  const refresh = () => {
    const picked = new Set(Array.from(part("rows").querySelectorAll("input:checked"),
      (box) => box.value));
    showCoverage(picked.size ? rows.filter((row) => picked.has(row.obs_publisher_did)) : rows)
      .catch((error) => message(part("trouble"), error.message));
  };
  part("rows").querySelectorAll("input").forEach((box) => box.addEventListener("change", refresh));
}

function resultRow(row) {
  return [
    [link(granulePage(row.obs_publisher_did), row.target_name ?? "unnamed"),
      row.s_ra === null ? "position unknown" : sexagesimal(row.s_ra, row.s_dec)],
    [row.night ?? "–", row.dataproduct_category?.toLowerCase() ?? ""],
    [row.instrument_name ?? row.insname, row.instrument_mode ?? ""],
    [band(row.em_min, row.em_max), row.em_xel === null ? "" : counted(row.em_xel, "channel")],
    [row.uv_distance_max === null ? "–"
      : `${plain(row.uv_distance_min, 3)}–${plain(row.uv_distance_max, 3)} m`,
    row.stations ?? ""],
    [`${row.nb_vis2_points} V², ${row.nb_t3_points} T3`, mas(row.s_resolution)],
    [row.data_rights === "public"
      ? link(row.access_url, row.file_name, { download: "" })
      : row.file_name,
    row.data_rights === "public" ? size(row.file_size)
      : `private until ${row.obs_release_date.slice(0, 10)}`],
  ];
}

function showExports(adql) {
  // Not every program reads the binary serialisation that is the service's own choice.
  const votable = resultUrl(adql, "votable/td");
  part("exports").replaceChildren(
    element("a", { class: "button", href: votable, download: "oidb.vot" }, "VOTable"),
    element("a", { class: "button", href: resultUrl(adql, "csv"), download: "oidb.csv" }, "CSV"),
    ...sampButton("Send to TOPCAT, Aladin, ASPRO2", "The table, by SAMP", "table.load.votable",
      { url: votable, name: "OiDB", "table-id": "oidb-search" }));
  part("adql").textContent = adql;
}

async function showCoverage(rows) {
  const turn = drawings += 1;
  const points = rows.length ? await query("SELECT TOP 5000 u, v FROM oidb.baseline " +
    `WHERE granule_id IN (${rows.map((row) => row.granule_id).join(",")})`) : [];
  if (turn === drawings) {
    part("uv").replaceChildren(uvPlot(points));
    part("uv-caption").textContent = "uv coverage of " +
      (part("rows").querySelector("input:checked") ? "the selected rows" : "the rows below");
  }
}

async function showSky(where, current) {
  const found = await query(`SELECT DISTINCT TOP 3000 g.s_ra, g.s_dec ${where}`);
  if (current()) {
    part("sky").replaceChildren(skyPlot(found.filter((row) => row.s_ra !== null)));
  }
}

/** Fills the lists of the form with what there is. */
async function offerChoices() {
  const [setups, targets, others] = await Promise.all([
    query("SELECT DISTINCT facility_name, instrument_name, instrument_mode FROM oidb.granule " +
      "ORDER BY facility_name, instrument_name, instrument_mode"),
    query("SELECT DISTINCT TOP 2000 target_name FROM oidb.granule ORDER BY target_name"),
    query("SELECT DISTINCT obs_collection, progid FROM oidb.granule ORDER BY obs_collection"),
  ]);
  const offer = (name, rows, column, group) => list.offer(name,
    [...new Map(rows.filter((row) => row[column] !== null)
      .map((row) => [row[column], group && (row[group] ?? "unknown")]))]);
  offer("facility", setups, "facility_name");
  offer("instrument", setups, "instrument_name", "facility_name");
  offer("mode", setups, "instrument_mode", "instrument_name");
  offer("collection", others, "obs_collection");
  const suggest = (id, values) => part(id).replaceChildren(
    ...[...new Set(values)].filter(Boolean).map((value) => element("option", { value })));
  suggest("targets", targets.map((row) => row.target_name));
  suggest("programmes", others.map((row) => row.progid).sort());
}

list.form.elements.band.append(...Object.entries(BANDS).map(([name, [low, high]]) =>
  element("option", { value: name }, `${name} (${low}–${high} µm)`)));
list.start();
offerChoices().catch(() => {}); // the search itself tells of a service that fails
