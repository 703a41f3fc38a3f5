// What waits for an editor of JMDC, and what editors have decided.

import { grouped } from "./format.mjs";
import { starPage, valuesTable } from "./jmdc_values.mjs";
import { element, link, message } from "./page.mjs";
import { call, decisions, history, login, problemList } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const state = asked.get("state") ?? "submitted";
const page = Math.max(1, Number(asked.get("page")) || 1);

const STATES = {
  submitted: "To be decided", asked: "Asked", accepted: "Accepted", rejected: "Rejected",
  withdrawn: "Withdrawn",
};
const DEEDS = [
  { name: "accept", text: "Accept", first: true },
  { name: "ask", text: "Ask", words: true },
  { name: "reject", text: "Reject", words: true },
];

async function show() {
  const { submissions, more, states } = await call("GET",
    `/jmdc/api/queue?${new URLSearchParams({ state, page })}`);
  part("states").replaceChildren(...Object.entries(STATES).map(([name, text]) => element("a",
    { class: "button", href: `?state=${name}`, "aria-current": name === state ? "page" : null },
    `${text} (${grouped(states[name])})`)));
  part("list").replaceChildren(...submissions.map(entry));
  if (!submissions.length) {
    message(part("list"), "Nothing here.", "");
  }
  const step = (to, text) => element("a",
    { class: "button", href: `?${new URLSearchParams({ state, page: to })}` }, text);
  part("pages").replaceChildren(...[page > 1 ? step(page - 1, "← Before") : null,
    more ? step(page + 1, "More →") : null].filter(Boolean));
}

function entry(one) {
  const place = element("section", { class: "submission", id: `s${one.submission_id}` });
  const path = `/jmdc/api/submissions/${one.submission_id}`;
  const open = one.state === "submitted" || one.state === "asked";
  const again = async () => place.replaceWith(entry(await call("GET", path)));
  place.append(
    element("h2", {}, link(starPage(one.measurement.id1), one.measurement.id1), " ",
      element("span", { class: "badge" }, one.state)),
    element("p", { class: "hint" }, `Submission ${one.submission_id} of ${one.submitter}`,
      one.corrects === null ? ", a new measurement" : `, corrects measurement ${one.corrects}`),
    valuesTable(one.measurement, one.replaced),
    problemList(one.problems),
    history(one.history));
  if (open) {
    place.append(decisions(path, one.version,
      one.state === "asked" ? DEEDS.filter(({ name }) => name !== "ask") : DEEDS,
      { hint: "question to the submitter, or the reason", again,
        done: (changed) => place.replaceWith(entry(changed)) }));
  }
  return place;
}

try {
  if (await login(part("who"), "jmdc-editors")) {
    await show();
  }
} catch (error) {
  message(part("list"), error.message);
}
part("list").dataset.ready = "1";
