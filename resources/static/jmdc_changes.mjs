// What differs between two releases of JMDC.

import { counted, grouped } from "./format.mjs";
import { publication, starPage } from "./jmdc_values.mjs";
import { table } from "./listing.mjs";
import { element, given, link } from "./page.mjs";

/** Rows of the table at first. */
const SHORT = 200;

const part = (id) => document.getElementById(id);

function kindOf([, before, after]) {
  return before === null ? "added" : after === null ? "removed" : "changed";
}

function show({ from, to, releases, changes }) {
  for (const [name, value] of Object.entries({ from, to })) {
    const select = document.querySelector(`select[name=${name}]`);
    select.append(...releases.map((release) => element("option", { value: release }, release)));
    select.value = value;
  }
  const number = (kind) => changes.filter((change) => kindOf(change) === kind).length;
  part("summary").textContent = changes.length ? `From ${from} to ${to}: ` +
    `${grouped(number("added"))} added, ${grouped(number("changed"))} changed, ` +
    `${grouped(number("removed"))} removed.` : `From ${from} to ${to} nothing has changed.`;
  part("exports").append(element("a", { class: "button",
    href: `/jmdc/changes.json?${new URLSearchParams({ from, to })}` }, "JSON"));
  part("exports").hidden = !changes.length;
  draw(changes.slice(0, SHORT));
  if (changes.length > SHORT) {
    const more = element("button", { type: "button", click: () => {
      draw(changes);
      more.remove();
    } }, `All ${counted(changes.length, "row")}`);
    part("more").append(more);
  }
  part("changes").hidden = false;
}

function draw(changes) {
  table(part("rows"), ["What", "Star", "Publication", "Values"], changes.map((change) => {
    const [, before, after] = change;
    const row = after ?? before;
    return [kindOf(change), link(starPage(row.id1), row.id1), publication(row.bibcode),
      before && after ? differences(before, after) : values(row)];
  }));
  part("rows").hidden = !changes.length;
}

function differences(before, after) {
  return element("ul", { class: "plain" }, ...Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .map((name) => element("li", {}, `${name.toUpperCase()} `,
      element("del", {}, before[name] ?? "none"), " ", element("ins", {}, after[name] ?? "none"))));
}

function values(row) {
  return [["UD", row.ud_diam], ["LD", row.ld_diam], ["error", row.e_ld_diam], ["band", row.band]]
    .filter(([, value]) => value !== null).map(([name, value]) => `${name} ${value}`).join(", ");
}

show(given());
