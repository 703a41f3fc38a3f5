// What a user has handed in for JMDC, and what has become of it.

import { starPage, valuesTable } from "./jmdc_values.mjs";
import { element, link, message } from "./page.mjs";
import { call, decisions, history, login, problemList } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const page = Math.max(1, Number(new URLSearchParams(location.search).get("page")) || 1);

const STATES = {
  submitted: "waits for an editor", asked: "waits for your answer", accepted: "accepted",
  rejected: "rejected", withdrawn: "withdrawn",
};

async function show() {
  const { submissions, more } = await call("GET", `/jmdc/api/submissions?page=${page}`);
  part("list").replaceChildren(...submissions.map(entry));
  if (!submissions.length) {
    message(part("list"), "Nothing was handed in yet.", "");
  }
  const step = (to, text) => element("a", { class: "button", href: `?page=${to}` }, text);
  part("pages").replaceChildren(...[page > 1 ? step(page - 1, "← Newer") : null,
    more ? step(page + 1, "Older →") : null].filter(Boolean));
  // The browser has looked for it before it was there.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function entry(one) {
  const open = one.state === "submitted" || one.state === "asked";
  const change = `/jmdc/submit?${new URLSearchParams({ submission: one.submission_id })}`;
  return element("section", { class: "submission", id: `s${one.submission_id}` },
    element("h2", {}, `${one.measurement.id1}, ${one.measurement.bibcode ?? "no bibcode"} `,
      element("span", { class: "badge" }, STATES[one.state])),
    element("p", { class: "hint" }, `Submission ${one.submission_id}`,
      one.corrects === null ? ", a new measurement" : `, corrects measurement ${one.corrects}`,
      ...(one.state === "accepted"
        ? [": ", link(starPage(one.measurement.id1), "all measurements of the star")] : [])),
    history(one.history),
    element("details", {}, element("summary", {}, "Values"),
      valuesTable(one.measurement, one.replaced), problemList(one.problems)),
    open ? element("p", { class: "actions" }, element("a", { class: "button first", href: change },
      one.state === "asked" ? "Answer, change values" : "Change values")) : null,
    open ? element("details", {}, element("summary", {}, "Withdraw"), decisions(
      `/jmdc/api/submissions/${one.submission_id}`, one.version,
      [{ name: "withdraw", text: "Withdraw" }],
      { hint: "why, if you like", done: show, again: show })) : null);
}

try {
  if (await login(part("who"))) {
    await show();
  }
} catch (error) {
  message(part("list"), error.message);
}
part("list").dataset.ready = "1";
