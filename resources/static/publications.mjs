// The list of publications: form, years, rows. What is asked for is in the query string.

import { counted, grouped } from "./format.mjs";
import { adsPage, element, given, link, publicationPage } from "./page.mjs";
import { barsPlot } from "./plot.mjs";

const PAGE = 50;
const DATA_SETS = { oidb: ["file in OiDB", "files in OiDB"], jmdc: ["diameter in JMDC", "diameters in JMDC"] };

const part = (id) => document.getElementById(id);
const state = new URLSearchParams(location.search);
const chosen = (state.get("tag") ?? "").split(",").map((tag) => tag.trim()).filter(Boolean);

/** Address of this page with some parameters changed; those without a value are left out. */
function changed(changes) {
  const next = new URLSearchParams(state);
  next.delete("page");
  for (const [name, value] of Object.entries(changes)) {
    next.set(name, value);
  }
  for (const [name, value] of [...next]) {
    if (!value) {
      next.delete(name);
    }
  }
  return `/publications?${next}`;
}

/** Categories with their tags and how many of the publications found have each. */
function categories(tags) {
  const found = new Map();
  for (const [category, tag, number] of tags) {
    found.set(category, [...found.get(category) ?? [], [tag, number]]);
  }
  return found;
}

function showForm({ tags }) {
  const form = part("criteria");
  for (const name of ["text", "from", "to", "data"]) {
    form.elements[name].value = state.get(name) ?? "";
  }
  for (const [category, own] of categories(tags ?? [])) {
    const select = element("select", { "aria-label": category },
      element("option", { value: "" }, "any"),
      ...own.map(([tag, number]) => element("option",
        { value: tag, selected: chosen.includes(tag) }, `${tag} (${grouped(number)})`)));
    select.addEventListener("change", submit);
    part("tags").append(element("label", {}, category, select));
  }
  form.elements.data.addEventListener("change", submit);
  form.addEventListener("submit", submit);
}

/** Goes to the address of what the form says: the tags of all categories are one parameter. */
function submit(event) {
  event.preventDefault();
  const form = part("criteria");
  const tags = [...part("tags").querySelectorAll("select:not([name])")]
    .map((select) => select.value).filter(Boolean);
  const fields = Object.fromEntries(["text", "from", "to", "data"].map(
    (name) => [name, form.elements[name].value.trim()]));
  location.assign(changed({ ...fields, tag: tags.join(",") }));
}

function showYears(years) {
  const counts = new Map(years);
  const [first, last] = [years[0][0], years[years.length - 1][0]];
  const bins = Array.from({ length: last - first + 1 }, (_, index) => {
    const year = first + index;
    const number = counts.get(year) ?? 0;
    return { label: String(year), title: `${year}: ${grouped(number)}`, values: [number] };
  });
  part("years").firstElementChild.append(barsPlot(["publications"], bins, { height: 110 }));
}

function dataLinks(row) {
  return (row.links ?? []).flatMap(([dataSet, number], index) => [
    index ? ", " : null,
    link(publicationPage(row.bibcode),
      `${grouped(number)} ${DATA_SETS[dataSet][number === 1 ? 0 : 1]}`)]);
}

function showRows(rows) {
  part("rows").replaceChildren(
    element("thead", {}, element("tr", {}, ...["Year", "Publication", "Data here"].map(
      (text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {},
      element("td", {}, String(row.pub_year)),
      element("td", {},
        link(publicationPage(row.bibcode), row.title ?? row.bibcode),
        element("div", { class: "second" }, link(adsPage(row.bibcode), row.bibcode), " "),
        element("div", { class: "names" }, ...(row.tags ?? []).map(([category, tag]) =>
          element("a", { class: "badge", title: category,
            href: changed({ tag: [...new Set([...chosen, tag])].join(",") }) }, tag)))),
      element("td", {}, ...dataLinks(row))))));
}

function showPages(total) {
  const page = Number(state.get("page") ?? 1);
  const pages = Math.ceil(total / PAGE);
  const turn = (number, text) => number >= 1 && number <= pages
    ? link(changed({ page: number > 1 ? String(number) : "" }), text) : null;
  part("pages").replaceChildren(...[
    turn(page - 1, "Previous"),
    pages > 1 ? element("span", {}, `Page ${grouped(page)} of ${grouped(pages)}`) : null,
    turn(page + 1, "Next")].filter(Boolean));
}

function show(found) {
  showForm(found);
  part("count").textContent = found.total
    ? `${counted(found.total, "publication")} of ${grouped(found.all)}`
    : found.all ? "No publication is like that" : "There are no publications yet";
  part("exports").append(
    link(`/publications.json${location.search}`, "This page as JSON"), " ",
    link("/browse/olbin/q", "All in ADQL: olbin.publication, olbin.tag"));
  if (found.total) {
    showYears(found.years);
    showRows(found.rows ?? []);
    showPages(found.total);
  }
  part("results").hidden = false;
}

show(given());
