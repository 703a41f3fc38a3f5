// What waits for an editor of BadCal, and what editors have decided.

import { counted } from "./format.mjs";
import { element, link, message } from "./page.mjs";
import { facts, numbers, starPage } from "./badcal_values.mjs";
import { call, decisions, history, login } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const state = asked.get("state");
const page = Math.max(1, Number(asked.get("page")) || 1);
/** The parameters of a page of the same list. */
const at = (to) => new URLSearchParams({ ...(state && { state }), page: to });
const STATES = [[null, "To be decided"], ["accepted", "Accepted"], ["rejected", "Rejected"],
  ["withdrawn", "Withdrawn"]];
const DEEDS = {
  submitted: [
    { name: "accept", text: "Accept", first: true },
    { name: "ask", text: "Ask", words: true },
    { name: "reject", text: "Reject", words: true },
  ],
  candidate: [
    { name: "accept", text: "Accept", first: true },
    { name: "reject", text: "Reject", words: true },
  ],
  accepted: [{ name: "withdraw", text: "Withdraw", words: true }],
  rejected: [{ name: "reopen", text: "Judge again", words: true }],
  withdrawn: [{ name: "reopen", text: "Judge again", words: true }],
};

async function show() {
  part("states").replaceChildren(...STATES.map(([name, text]) => element("a",
    { class: "button", href: name === null ? "/badcal/queue" : `?state=${name}`,
      "aria-current": name === state ? "page" : null }, text)));
  const { reports, more } = await call("GET", `/badcal/api/queue?${at(page)}`);
  part("list").replaceChildren(...reports.map(entry));
  if (!reports.length) {
    message(part("list"), "Nothing here.", "");
  }
  const step = (to, text) => element("a", { class: "button", href: `?${at(to)}` }, text);
  part("pages").replaceChildren(...[page > 1 ? step(page - 1, "← Before") : null,
    more ? step(page + 1, "More →") : null].filter(Boolean));
}

function entry({ report, star, candidate, history: events }) {
  const path = `/badcal/api/report/${report.report_id}`;
  const place = element("section", { class: "submission", id: `r${report.report_id}` });
  const again = async () => place.replaceWith(entry(await call("GET", path)));
  const others = star.n_reports - 1;
  place.append(
    element("h2", {}, link(starPage(star.badcal_id), star.name ?? `BadCal ${star.badcal_id}`), " ",
      element("span", { class: "badge" },
        report.is_question_open ? "asked" : report.state)),
    element("p", { class: "hint" }, `Report ${report.report_id}`,
      others ? `; ${counted(others, "other report")} of this star, which is ${star.state}` : ""),
    ...[facts(report), numbers(report, candidate), history(events)].filter(Boolean));
  place.append(decisions(path, report.version, DEEDS[report.state],
    { hint: "question to who has reported it, or the reason, which is public", again,
      done: again }));
  return place;
}

try {
  if (await login(part("who"), "badcal-editors")) {
    await show();
  }
} catch (error) {
  message(part("list"), error.message);
}
part("list").dataset.ready = "1";
