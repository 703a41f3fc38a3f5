// The form by which a bad calibrator is reported, and the table of a facility.

import { message } from "./page.mjs";
import { call, fill, login, problemList, Refusal, showProblems, values } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const form = part("entry");
const TYPES = { vot: "application/x-votable+xml", xml: "application/x-votable+xml",
  tsv: "text/tab-separated-values" };

async function handIn(event) {
  event.preventDefault();
  part("state").textContent = "Handing in …";
  try {
    const done = await call("POST", "/badcal/api/report", values(form));
    location.assign(`/badcal/submissions#r${done.report_id}`);
  } catch (error) {
    showProblems(form, part("others"), error.problems ?? [], { all: true });
    part("state").textContent = error.message;
  }
}

/** Takes the position from the observation logs, if they know the name. */
async function find() {
  const name = form.elements.name.value.trim();
  const response = name ? await fetch(`/detail/names.json?${new URLSearchParams({ begin: name })}`)
    : null;
  const found = response?.ok ? (await response.json()).filter((one) => one.same) : [];
  if (found.length === 1) {
    fill(form, { ra: found[0].s_ra, dec: found[0].s_dec });
    part("state").textContent = `The observation logs have ${found[0].target_name} there.`;
  } else {
    part("state").textContent = name ? "The observation logs do not know this name."
      : "Give a name first.";
  }
}

async function register() {
  const [file] = part("table").files;
  const note = part("registered");
  if (!file) {
    message(note, "Choose a table first.");
    return;
  }
  const ending = file.name.split(".").at(-1).toLowerCase();
  const facility = part("named").value.trim();
  try {
    const response = await fetch(
      `/badcal/api/facility${facility ? `?${new URLSearchParams({ facility })}` : ""}`,
      { method: "POST", body: file, headers: { "content-type": TYPES[ending] ?? "text/csv" } });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      throw new Refusal(response.status, answer);
    }
    message(note, `${answer.registered} registered (${answer.merged} of stars known before), ` +
      `${answer.unchanged} unchanged.`, "");
  } catch (error) {
    message(note, error.message);
    note.append(problemList((error.problems ?? []).map((problem) => (
      { ...problem, words: `Line ${problem.line}: ${problem.words}` }))));
  }
}

form.addEventListener("submit", handIn);
part("find").addEventListener("click", () => find().catch((error) => {
  part("state").textContent = error.message;
}));
part("register").addEventListener("click", register);
fill(form, Object.fromEntries(new URLSearchParams(location.search)));
try {
  const who = await login(part("who"));
  form.querySelector("button[type=submit]").hidden = who === null;
  part("facility").hidden = !who?.groups.includes("badcal-facilities");
  part("named").placeholder = who?.username ?? "";
} catch (error) {
  message(part("who"), error.message);
}
form.dataset.ready = "1";
