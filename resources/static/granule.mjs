// The page of one granule: plots, values, quality, links.

import { datalink } from "./datalink.mjs";
import { plain, quantity, size } from "./format.mjs";
import { element, granulePage, link, message } from "./page.mjs";
import { sampButton } from "./samp.mjs";
import { literal, query } from "./tap.mjs";

const part = (id) => document.getElementById(id);

async function show(did) {
  const [[granule], columns] = await Promise.all([
    query(`SELECT * FROM oidb.granule WHERE obs_publisher_did=${literal(did)}`),
    query("SELECT column_name, description, unit, ucd FROM tap_schema.columns " +
      "WHERE table_name='oidb.granule' ORDER BY column_index"),
  ]);
  if (!granule) {
    throw new Error(`There is no granule ${did} in OiDB.`);
  }
  const [[file], { links, services }] = await Promise.all([
    query(`SELECT * FROM oidb.file WHERE file_id=${granule.file_id}`),
    datalink(did),
  ]);
  const secret = file.data_rights !== "public";
  const meaning = (word) => links.filter((entry) => entry.semantics === word);
  showHead(granule, file, secret);
  showDownloads(granule, file, secret);
  showPlots(meaning("#preview"), file, secret);
  showValues(granule, columns);
  showLinks("progenitors", meaning("#progenitor"), (entry) =>
    link(entry.access_url, entry.description));
  showLinks("siblings", meaning("#auxiliary"), (entry) => link(
    granulePage(new URL(entry.access_url).searchParams.get("ID")), entry.description));
  showCutout(services[0]);
  part("granule").hidden = false;
  await Promise.all([
    showFlags(granule.quality_flags), showValidation(file, meaning("#documentation"), secret)]);
}

function showHead(granule, file, secret) {
  const words = [granule.target_name ?? "Unnamed target",
    granule.instrument_name ?? granule.insname, granule.night].filter(Boolean);
  document.title = `${words.join(", ")} – JMMC data centre`;
  part("title").textContent = words.join(" · ");
  const stations = granule.stations ? ` with ${granule.stations.replaceAll(" ", "–")}` : "";
  part("summary").append(
    [granule.facility_name ?? "unknown facility", granule.instrument_mode].filter(Boolean)
      .join(", ") + `${stations}; `,
    element("a", { href: `/static/oidb.html?${new URLSearchParams({
      collection: granule.obs_collection })}` }, `collection ${granule.obs_collection}`), ". ");
  const badge = (text, kind = "") => element("span", { class: `badge ${kind}` }, text);
  if (granule.dataproduct_category) {
    part("summary").append(badge(granule.dataproduct_category.toLowerCase()), " ");
  }
  part("summary").append(
    secret ? badge(`private until ${until(file)}`, "secret") : badge("public"));
}

function until(file) {
  return file.obs_release_date.slice(0, 10);
}

function showDownloads(granule, file, secret) {
  const download = link(file.access_url, secret
    ? `${file.file_name} (${size(file.file_size)}), for its owners`
    : `Download ${file.file_name} (${size(file.file_size)})`, { class: "button first" });
  const send = secret ? [] : sampButton("Send to OIFitsExplorer", "The file, by SAMP",
    "table.load.fits", { url: file.access_url, name: file.file_name });
  const near = granule.s_ra === null ? null : element("a", {
    class: "button",
    href: `/static/oidb.html?${new URLSearchParams({
      target: `${granule.s_ra} ${granule.s_dec}` })}`,
  }, "All of this target");
  const simbad = granule.s_ra === null ? null : element("a", {
    class: "button",
    href: `https://simbad.cds.unistra.fr/simbad/sim-coo?${new URLSearchParams({
      Coord: `${granule.s_ra} ${granule.s_dec}`, Radius: "1", "Radius.unit": "arcmin" })}`,
  }, "SIMBAD");
  const article = granule.bib_reference === null ? null : element("a", {
    class: "button",
    href: `https://ui.adsabs.harvard.edu/abs/${encodeURIComponent(granule.bib_reference)}`,
  }, "Article");
  part("downloads").append(
    ...[download, near, simbad, article, ...send].filter(Boolean));
}

/** Shows the plots; those of private files only when the user asks, for the browser will then ask
 * for a name and password. */
function showPlots(previews, file, secret) {
  const draw = () => part("plots").replaceChildren(...previews.map((entry) => {
    const picture = element("img", {
      src: entry.access_url,
      alt: entry.description,
      loading: "lazy",
      error: () => message(figure, secret
        ? `Private until ${until(file)}: this login does not give access.`
        : "The plot cannot be loaded.", "quiet"),
    });
    const figure = element("figure", {},
      link(entry.access_url, picture), element("figcaption", {}, entry.description));
    return figure;
  }));
  if (!previews.length) {
    message(part("plots"), "There are no plots yet.", "quiet");
  } else if (secret) {
    part("plots").replaceChildren(element("p", { class: "message quiet" },
      `File and plots are private until ${until(file)}. `,
      element("button", { type: "button", click: draw }, "Log in to see the plots")));
  } else {
    draw();
  }
}

function showValues(granule, columns) {
  const known = columns.filter(({ column_name: name }) =>
    granule[name] !== null && granule[name] !== "");
  const rows = known.map(({ column_name: name, description, unit, ucd }) => {
    const value = quantity(granule[name], unit, ucd ?? "");
    return element("tr", {},
      element("th", { scope: "row" }, name),
      element("td", {}, /^https?:/.test(value) ? link(value, value) : value),
      element("td", {}, description));
  });
  const unknown = columns.filter((column) => !known.includes(column))
    .map((column) => column.column_name);
  part("values").replaceChildren(
    element("tbody", {}, ...rows),
    element("tfoot", {}, element("tr", {}, element("td", { colspan: 3 },
      unknown.length ? `Unknown or not applicable: ${unknown.join(", ")}. ` : "",
      element("a", { href: "/tableinfo/oidb.granule" }, "About this table")))));
}

function showLinks(id, entries, make) {
  part(id).hidden = !entries.length;
  part(id).querySelector("ul").append(
    ...entries.map((entry) => element("li", {}, make(entry))));
}

/** The flags of a granule with what the documentation of the table says of them. */
async function showFlags(flags) {
  if (!flags) {
    part("flags").replaceWith(element("p", {}, "No doubts about the values of this granule."));
    return;
  }
  const explained = await flagNotes().catch(() => new Map());
  for (const flag of flags.split(" ")) {
    part("flags").append(element("dt", {}, flag),
      element("dd", {}, explained.get(flag) ?? "See the notes to the table oidb.granule."));
  }
}

async function flagNotes() {
  const response = await fetch("/tableinfo/oidb.granule");
  const [, notes] = (await response.text()).match(/<a name="note-flags">.*?<dd>(.*?)<\/dd>/s);
  const paragraphs = new DOMParser().parseFromString(notes, "text/html").querySelectorAll("p");
  return new Map(Array.from(paragraphs, (paragraph) => {
    const flag = paragraph.querySelector("em").textContent;
    return [flag, paragraph.textContent.slice(flag.length).replace(/^:\s*/, "")];
  }));
}

async function showValidation(file, reports, secret) {
  const place = part("validation");
  if (secret) {
    place.append("The report of the validation is as private as the file.");
    return;
  }
  const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  place.append(`Checked against the OIFITS ${file.oifits_version} standard: ` +
    `${many(file.n_errors, "error")}, ${many(file.n_warnings, "warning")}. `,
  ...reports.map((entry) => link(entry.access_url, "Full report")));
  const findings = await query("SELECT TOP 20 severity, rule, oi_table, member, occurrences, " +
    `message FROM oidb.finding WHERE file_id=${file.file_id} AND severity<>'info' ` +
    "ORDER BY severity, rule");
  if (!findings.length) {
    return;
  }
  const heads = ["Severity", "Where", "What", "Times"];
  part("findings").hidden = false;
  part("findings").replaceChildren(
    element("thead", {}, element("tr", {},
      ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...findings.map((row) => element("tr", {},
      ...[row.severity, [row.oi_table, row.member].filter(Boolean).join(" "), row.message,
        String(row.occurrences)].map((text, index) =>
        element("td", { "data-label": heads[index] }, text))))));
}

function showCutout(service) {
  if (!service?.inputs.BAND) {
    return;
  }
  const form = part("cutout-form");
  const edges = service.inputs.BAND.split(" ").map(Number);
  part("cutout").hidden = false;
  part("cutout-description").textContent = `${service.description}.`;
  form.action = service.url;
  form.elements.ID.value = service.inputs.ID;
  // Rounded outwards, so that the whole band is the whole band.
  part("low").value = Math.floor(edges[0] * 1e9) / 1e3;
  part("high").value = Math.ceil(edges[1] * 1e9) / 1e3;
  form.addEventListener("submit", (event) => {
    const [low, high] = ["low", "high"].map((id) => Number(part(id).value.replace(",", ".")));
    part("cutout-trouble").replaceChildren();
    if (low > 0 && high >= low) {
      form.elements.BAND.value = `${plain(low * 1e-6, 9)} ${plain(high * 1e-6, 9)}`;
    } else {
      event.preventDefault();
      message(part("cutout-trouble"), "Two wavelengths in µm, the shorter one first, please.");
    }
  });
}

try {
  const did = new URLSearchParams(location.search).get("id");
  if (!did) {
    throw new Error("Which granule? The address of this page ends in ?id= and an identifier.");
  }
  await show(did);
} catch (error) {
  message(part("trouble"), error.message);
}
