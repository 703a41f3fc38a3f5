// The page of one publication: what it is about, and the data here that belong to it.

import { counted, plain } from "./format.mjs";
import { adsPage, element, given, link, message } from "./page.mjs";
import { literal, query } from "./tap.mjs";

const part = (id) => document.getElementById(id);
const tagged = (tag) => `/publications?${new URLSearchParams({ tag })}`;

async function show({ bibcode, publication, tags, links }) {
  const title = publication?.title ?? bibcode;
  document.title = `${title} – JMMC data centre`;
  part("title").textContent = title;
  part("summary").textContent = publication
    ? `${publication.journal}, ${publication.pubdate ?? publication.pub_year}`
    : "Not in the list of publications of optical interferometry; data here name it.";
  part("links").append(
    element("a", { class: "button first", href: adsPage(bibcode) }, `${bibcode} in ADS`),
    element("a", { class: "button", href: `${location.pathname}.json` }, "As JSON"));
  showTags(tags ?? []);
  const found = (links ?? []).filter((one) => one.data_set === "oidb");
  part("oidb").hidden = !found.length;
  part("oidb").querySelector("ul").append(...found.map((one) => element("li", {},
    link(one.url, one.title ?? one.entry), `, ${counted(one.number_of_links, "file")}`)));
  part("nothing").hidden = Boolean(links);
  part("publication").hidden = false;
  const measured = (links ?? []).find((one) => one.data_set === "jmdc");
  if (measured) {
    part("jmdc").hidden = false;
    part("jmdc").querySelector("p").append(
      link(measured.url, `${counted(measured.number_of_links, "measurement")} in JMDC`));
    await showDiameters(bibcode);
  }
}

function showTags(tags) {
  const categories = new Map();
  for (const [category, tag] of tags) {
    categories.set(category, [...categories.get(category) ?? [], tag]);
  }
  part("tags").append(...[...categories].flatMap(([category, own]) => [
    element("dt", {}, category),
    element("dd", { class: "names" }, ...own.map((tag) =>
      element("a", { class: "badge", href: tagged(tag) }, tag)))]));
}

async function showDiameters(bibcode) {
  const rows = await query("SELECT star_name, band, ud_diam, ld_diam, e_ld_diam, quality_flags " +
    `FROM jmdc.measurement WHERE bibcode=${literal(bibcode)} ORDER BY star_name, band`);
  const heads = ["Star", "Band", "UD (mas)", "LD (mas)", "Error (mas)", "Doubts"];
  const number = (value) => (value === null ? "" : plain(value));
  part("jmdc").querySelector("table").append(
    element("thead", {}, element("tr", {}, ...heads.map(
      (text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...[
      row.star_name, row.band ?? "", number(row.ud_diam), number(row.ld_diam),
      number(row.e_ld_diam), row.quality_flags ?? "",
    ].map((cell) => element("td", {}, cell))))));
}

show(given()).catch((error) => message(part("jmdc"), error.message));
