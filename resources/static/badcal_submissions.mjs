// What a user has reported, and what has become of it.

import { element, link, message } from "./page.mjs";
import { facts, starPage } from "./badcal_values.mjs";
import { call, decisions, history, login } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const page = Math.max(1, Number(new URLSearchParams(location.search).get("page")) || 1);
const STATES = {
  submitted: "waits for an editor", accepted: "accepted", rejected: "rejected",
  withdrawn: "withdrawn",
};

async function show() {
  const { reports, more } = await call("GET", `/badcal/api/mine?page=${page}`);
  part("list").replaceChildren(...reports.map(entry));
  if (!reports.length) {
    message(part("list"), "Nothing was reported yet.", "");
  }
  const step = (to, text) => element("a", { class: "button", href: `?page=${to}` }, text);
  part("pages").replaceChildren(...[page > 1 ? step(page - 1, "← Newer") : null,
    more ? step(page + 1, "Older →") : null].filter(Boolean));
  // The browser has looked for it before it was there.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function entry({ report, star, history: events }) {
  const asked = report.is_question_open;
  const path = `/badcal/api/report/${report.report_id}`;
  const deeds = [
    ...(asked ? [{ name: "answer", text: "Answer", words: true, first: true }] : []),
    ...(report.state === "withdrawn" ? [] : [{ name: "withdraw", text: "Withdraw", words: true }]),
  ];
  return element("section", { class: "submission", id: `r${report.report_id}` },
    element("h2", {}, link(starPage(star.badcal_id), report.name ?? `BadCal ${star.badcal_id}`),
      " ", element("span", { class: "badge" },
        asked ? "waits for your answer" : STATES[report.state])),
    element("p", { class: "hint" }, `Report ${report.report_id}`),
    facts(report), history(events),
    deeds.length ? decisions(path, report.version, deeds,
      { hint: asked ? "your answer, or why it is withdrawn" : "why it is withdrawn",
        done: show, again: show }) : null);
}

try {
  if (await login(part("who"))) {
    await show();
  }
} catch (error) {
  message(part("list"), error.message);
}
part("list").dataset.ready = "1";
