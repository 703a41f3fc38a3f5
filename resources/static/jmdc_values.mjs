// What the pages of JMDC share: values of measurements as people read them, and links.

import { plain } from "./format.mjs";
import { element, link } from "./page.mjs";

/** Methods by METHOD. */
export const METHODS = {
  1: "optical interferometry", 2: "lunar occultation", 3: "intensity interferometry",
};

const LABELS = {
  id1: "Star (ID1)", id2: "In the publication (ID2)", ud_diam: "Uniform disk (mas)",
  ld_diam: "Limb-darkened (mas)", e_ld_diam: "Error (mas)", band: "Band", mu_lambda: "MU_LAMBDA",
  method: "Method", bandcode: "BANDCODE", notes: "Notes", bibcode: "Bibcode", sinpe: "SINPE",
};

/** Address of the page of a star, by its number or a name. */
export function starPage(star) {
  return `/jmdc/star/${encodeURIComponent(star)}`;
}

/** A bibcode, with a link to ADS where it is one. */
export function publication(bibcode) {
  return bibcode === null ? "–" : /^\d{4}\w[\w.&]{14}$/.test(bibcode)
    ? link(`https://ui.adsabs.harvard.edu/abs/${encodeURIComponent(bibcode)}/abstract`, bibcode)
    : bibcode;
}

/** A diameter or error; an en dash when there is none. */
export function diameter(value) {
  return plain(value, 6);
}

/** A diameter as published, with the corrected one where there is another. */
export function both(row, name) {
  const [published, corrected] = [row[name], row[`corrected_${name}`]];
  if (corrected === undefined || corrected === published) {
    return diameter(published);
  }
  return element("span", { title: row.correction }, element("del", {}, diameter(published)), " ",
    element("ins", {}, corrected === null ? "unknown" : diameter(corrected)));
}

/** Where a measurement was made, in µm, for what tells more than the text does. */
export function wavelength(row) {
  const [low, high] = [row.wavelength_min, row.wavelength_max];
  return low === null ? "" : element("span", { class: "nowrap" }, low === high
    ? `${plain(low * 1e6, 4)} µm` : `${plain(low * 1e6, 3)}–${plain(high * 1e6, 3)} µm`);
}

function shown(name, value) {
  return value === null || value === undefined ? "–" : name === "method" ? METHODS[value] ?? value
    : name === "sinpe" ? (value ? "yes" : "no") : String(value);
}

/** All values of a measurement, beside those of the one that it is to replace, if any. */
export function valuesTable(measurement, replaced) {
  const rows = Object.entries(LABELS).map(([name, text]) => {
    const old = replaced ? shown(name, replaced[name]) : null;
    const value = shown(name, measurement[name]);
    return element("tr", { class: replaced && old !== value ? "changed" : null },
      element("th", { scope: "row" }, text),
      replaced ? element("td", { "data-label": "now" }, old) : null,
      element("td", { "data-label": "new" }, name === "id1" ? link(starPage(value), value)
        : name === "bibcode" ? publication(measurement[name]) : value));
  });
  return element("table", { class: "compared" },
    replaced ? element("thead", {}, element("tr", {},
      ...["", "JMDC says", "It should say"].map((text) => element("th", { scope: "col" }, text))))
      : "", element("tbody", {}, ...rows));
}
