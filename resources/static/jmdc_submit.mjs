// The form by which a measurement is added to JMDC, or one is corrected: checked as it is filled in.
//
// ?corrects=NUMBER begins with a measurement, ?submission=NUMBER with what was handed in already.

import { counted, plain, sexagesimal } from "./format.mjs";
import { starPage, valuesTable } from "./jmdc_values.mjs";
import { element, link, message } from "./page.mjs";
import { call, fill, history, login, showProblems, values, whileTyping } from "./submission.mjs";

const part = (id) => document.getElementById(id);
const form = part("entry");
const asked = new URLSearchParams(location.search);

/** The submission that is changed, and the number of the measurement that is corrected, if any. */
let submission = null;
let corrects = null;
/** Counts the checks, so that a late answer to an old one is dropped. */
let latest = 0;
let tried = false;

function contents() {
  return { ...values(form), ...(corrects === null ? {} : { corrects }) };
}

async function check() {
  const turn = latest += 1;
  try {
    const found = await call("POST", "/jmdc/api/check", contents());
    if (turn === latest) {
      const all = tried || corrects !== null || submission !== null;
      showProblems(form, part("others"), found.problems, { all });
      part("state").textContent = found.acceptable ? "This can be handed in." : "";
      showStar(found.star, found.measurement);
    }
  } catch (error) {
    if (turn === latest) {
      part("state").textContent = error.message;
    }
  }
}

function showStar(star, measurement) {
  if (!star) {
    part("star").replaceChildren(measurement === null ? "" : element("p", { class: "hint" },
      `JMDC has no measurement of ${measurement.id1} yet.`));
    return;
  }
  const place = star.s_ra === null ? "position unknown"
    : `${sexagesimal(star.s_ra, star.s_dec)} (${plain(star.s_ra, 8)} ${plain(star.s_dec, 8)} deg)`;
  part("star").replaceChildren(element("p", {}, "JMDC has ",
    link(starPage(star.star_id), counted(star.n_measurements, "measurement")),
    ` of ${star.star_name}, ${place}.`));
}

async function handIn(event) {
  event.preventDefault();
  tried = true;
  latest += 1; // no check that is under way has anything to say now
  part("state").textContent = "Handing in …";
  try {
    const done = submission === null
      ? await call("POST", "/jmdc/api/submissions", contents())
      : await call("PUT", `/jmdc/api/submissions/${submission.submission_id}`,
        { ...contents(), version: submission.version });
    location.assign(`/jmdc/submissions#s${done.submission_id}`);
  } catch (error) {
    const told = (error.problems ?? []).length > 0;
    if (told) {
      showProblems(form, part("others"), error.problems);
    }
    part("state").textContent = told ? "Something has to be put right above." : error.message;
  }
}

/** Says what is corrected, or answered. */
async function begin() {
  if (asked.get("submission")) {
    submission = await call("GET", `/jmdc/api/submissions/${Number(asked.get("submission"))}`);
    corrects = submission.corrects;
    fill(form, submission.measurement);
    part("title").textContent = `Submission ${submission.submission_id}`;
    part("standing").replaceChildren(history(submission.history));
  } else if (asked.get("corrects")) {
    const parameters = new URLSearchParams({ measurement_id: asked.get("corrects") });
    const response = await fetch(`/jmdc/rows.json?${parameters}`);
    const { rows: [row] } = response.ok ? await response.json() : { rows: [] };
    if (!row) {
      throw new Error(`There is no measurement ${asked.get("corrects")} today.`);
    }
    corrects = row.measurement_id;
    fill(form, row);
    part("title").textContent = `Correct a measurement of ${row.id1}`;
    part("standing").replaceChildren(element("details", {},
      element("summary", {}, "What JMDC says now"), valuesTable(row)));
  } else {
    fill(form, Object.fromEntries(asked));
  }
  if (corrects !== null || values(form).id1) {
    await check();
  }
}

form.addEventListener("submit", handIn);
whileTyping(form, check);
try {
  const who = await login(part("who"));
  form.querySelector("button[type=submit]").hidden = who === null;
  await begin();
  form.dataset.ready = "1";
} catch (error) {
  message(part("standing"), error.message);
}
