// What pages with criteria and a list of results share: criteria in the address, rows under heads to
// sort by, pages.
//
// Such a page has a form `criteria` and, for what it finds, `results` with a table `rows` and a
// paragraph `pages`; what goes wrong is told in `trouble`.

import { grouped } from "./format.mjs";
import { element, message } from "./page.mjs";
import { barsPlot, legend } from "./plot.mjs";
import { DATE } from "./search.mjs";

/** The element with an id. */
export const part = (id) => document.getElementById(id);

/** What an address answers; throws an Error with its own words when it refuses. */
export async function answer(path, parameters) {
  let response;
  try {
    response = await fetch(`${path}?${parameters}`);
  } catch {
    throw new Error("The data centre does not answer.");
  }
  if (!response.ok) {
    throw new Error((await response.text()).trim());
  }
  return response.json();
}

/** A table of cells under heads. A head is a text or a th, a cell a text, [first, second line] or a
 * td.
 */
export function table(place, heads, rows) {
  const first = heads.map((head) => (head instanceof HTMLTableCellElement ? head
    : element("th", { scope: "col" }, head)));
  const labels = first.map((head) => head.textContent.replace(/ [↓↑]$/, ""));
  const cell = (value, index) => (value instanceof HTMLTableCellElement ? value
    : element("td", { "data-label": labels[index] }, ...(Array.isArray(value)
      ? [element("div", {}, value[0]), element("div", { class: "second" }, value[1] ?? "")]
      : [value])));
  place.replaceChildren(
    element("thead", {}, element("tr", {}, ...first)),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map(cell)))));
}

/** Numbers over the years, with their legend: rows are [name, year, number]. */
export function yearsPlot(names, rows) {
  const years = rows.map(([, year]) => year);
  const first = Math.min(...years);
  const length = rows.length ? Math.max(...years) - first + 1 : 0;
  const bins = Array.from({ length }, (_, index) => (
    { label: String(first + index), values: names.map(() => 0) }));
  rows.forEach(([name, year, number]) => {
    bins[year - first].values[names.indexOf(name)] += number;
  });
  bins.forEach((bin) => {
    bin.title = bin.label + names.map((name, index) => [name, bin.values[index]])
      .filter(([, number]) => number)
      .map(([name, number]) => `\n${name}: ${grouped(number)}`).join("");
  });
  return [barsPlot(names, bins), legend(names)];
}

/** The list of such a page, which does what its address says. */
export class Listing {
  form = part("criteria");
  /** The parameters of the address, as of the latest search. */
  state = new URLSearchParams();
  #columns;
  #order;
  #find;
  #read;
  /** Counts the searches, so that a late answer to an old one is dropped. */
  #latest = 0;

  /** columns are [what to sort by or null, head]; order is the one of an address without any.
   *
   * find does a search and shows what it finds; it gets a function that tells whether nobody has
   * asked for something else meanwhile. read makes parameters of those of the address.
   */
  constructor({ columns, order, find, read = (state) => state }) {
    this.#columns = columns;
    this.#order = order;
    this.#find = find;
    this.#read = read;
  }

  /** Searches, now and whenever the address or the form says something else. */
  start() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go(`?${new URLSearchParams(this.#fields.map(
        (field) => [field.name, field.value.trim()]).filter(([, value]) => value))}`);
    });
    addEventListener("popstate", () => this.#search());
    this.#search();
  }

  /** What the address says of each field of the form, and of other parameters. */
  criteria(...others) {
    return Object.fromEntries([...this.#fields.map((field) => field.name), ...others].map(
      (name) => [name, this.state.get(name) ?? ""]));
  }

  get order() {
    return this.state.get("order") ?? this.#order;
  }

  get page() {
    return Math.max(1, Math.floor(Number(this.state.get("page"))) || 1);
  }

  /** Shows rows, of each the cells of all columns; with pick, the box by which it is picked first. */
  showRows(rows, cells, pick = null) {
    const heads = this.#columns.map((column) => this.#head(column));
    table(part("rows"),
      pick ? [element("th", { scope: "col", class: "pick" }), ...heads] : heads,
      rows.map((row) => (pick ? [element("td", { class: "pick" }, pick(row)), ...cells(row)]
        : cells(row))));
    part("rows").hidden = !rows.length;
    part("trouble").replaceChildren();
    part("results").hidden = false;
  }

  /** Shows the way to the other pages of so many rows. */
  showPages(total, size) {
    const last = Math.max(1, Math.ceil(total / size));
    const step = (to, text) => (to < 1 || to > last ? null
      : this.#link({ page: to }, text, "button"));
    part("pages").replaceChildren(...[
      step(this.page - 1, "← Previous"),
      last > 1 ? element("span", {}, `Page ${grouped(this.page)} of ${grouped(last)}`) : null,
      step(this.page + 1, "Next →"),
    ].filter(Boolean));
  }

  /** Offers values in a list of the form, [value, group or null] each; what is chosen stays. */
  offer(name, values) {
    const select = this.form.elements[name];
    const chosen = select.value;
    select.replaceChildren(select.options[0]);
    for (const [value, group] of values) {
      const place = !group ? select
        : Array.from(select.children).find((child) => child.label === group) ??
          select.appendChild(element("optgroup", { label: group }));
      place.append(element("option", { value }, value));
    }
    choose(select, chosen);
  }

  get #fields() {
    return Array.from(this.form.elements).filter((field) => field.name);
  }

  async #search() {
    this.state = this.#read(new URLSearchParams(location.search));
    this.#writeForm();
    const turn = this.#latest += 1;
    const current = () => turn === this.#latest;
    part("results").ariaBusy = "true";
    part("trouble").replaceChildren(element("p", { class: "message" }, "Searching …"));
    try {
      await this.#find(current);
    } catch (error) {
      if (current()) {
        part("results").hidden = true;
        message(part("trouble"), error.message);
      }
    }
    if (current()) {
      part("results").ariaBusy = "false"; // all is there, or told
    }
  }

  #writeForm() {
    for (const field of this.#fields) {
      const value = this.state.get(field.name) ?? "";
      if (field instanceof HTMLSelectElement) {
        choose(field, value);
      } else {
        field.value = field.type !== "date" || DATE.test(value) ? value : "";
      }
      const folded = field.closest("details");
      if (value && folded) {
        folded.open = true;
      }
    }
  }

  #go(url) {
    history.pushState(null, "", url);
    this.#search();
  }

  /** A link to this page with some parameters changed, which is followed without loading it anew. */
  #link(changes, text, style = null) {
    const next = new URLSearchParams(this.state);
    Object.entries(changes).forEach(([name, value]) => next.set(name, value));
    const follow = (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        this.#go(event.currentTarget.href);
      }
    };
    return element("a", { href: `?${next}`, class: style, click: follow }, text);
  }

  #head([name, text]) {
    if (!name) {
      return element("th", { scope: "col" }, text);
    }
    const [current, falls] = [this.order, this.order.startsWith("-")];
    const sorted = current.replace(/^-/, "") === name;
    return element("th",
      { scope: "col", "aria-sort": sorted ? (falls ? "descending" : "ascending") : null },
      this.#link({ order: current === name ? `-${name}` : name, page: 1 },
        text + (sorted ? (falls ? " ↓" : " ↑") : "")));
  }
}

/** Chooses a value of a list, which may not know it (yet). */
function choose(select, value) {
  if (!Array.from(select.options).some((option) => option.value === value)) {
    select.append(element("option", { value }, value));
  }
  select.value = value;
}
