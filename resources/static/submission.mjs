// What pages share on which users hand something in and editors decide on it: who has logged in,
// calls, forms whose fields say what is wrong with them, what has happened so far, decisions.
//
// Problems are {fields: [names], words, severity: "error", "warning" or "note"}; what has happened is
// {time, deed, by, words}. A decision goes to an address with the version that it is about, so that
// of two editors one is told that the other was faster.

import { element, link, message } from "./page.mjs";

/** Time from the last key to the check of what was typed, in ms. */
const PAUSE = 400;

/** What a call answers that does not do what was asked. */
export class Refusal extends Error {
  constructor(status, { error, problems }) {
    super(error ?? `The data centre answers with the error ${status}.`);
    this.status = status;
    this.problems = problems ?? [];
  }
}

/** The answer to a call, which sends a body as JSON; throws a Refusal. */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, body === undefined ? { method } : {
      method, body: JSON.stringify(body), headers: { "content-type": "application/json" },
    });
  } catch {
    throw new Error("The data centre does not answer.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Refusal(response.status, answer);
  }
  return answer;
}

/** Who has logged in: {username, full_name, affiliation, shown, groups}; null for nobody. */
export function user() {
  return call("GET", "/user.json");
}

/** Says who has logged in, or how to do so; then whether somebody has (in a group, if named). */
export async function login(place, group) {
  const who = await user();
  if (who === null) {
    const next = `/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
    place.replaceChildren(element("p", { class: "message" }, "An account is needed here. ",
      link(next, "Log in"), "."));
    return null;
  }
  if (group && !who.groups.includes(group)) {
    message(place, `Only members of the group ${group} find something here.`);
    return null;
  }
  place.replaceChildren(element("p", { class: "hint" },
    `Logged in as ${who.full_name ?? who.username}.`));
  return who;
}

/** What is in the fields of a form, as texts by name; checked boxes are true. */
export function values(form) {
  const found = {};
  for (const field of form.elements) {
    if (field.type === "checkbox" && field.checked) {
      found[field.name] = true;
    } else if (field.name && field.type !== "checkbox" && field.value.trim()) {
      found[field.name] = field.value.trim();
    }
  }
  return found;
}

/** Puts values by name into the fields of a form. */
export function fill(form, found) {
  for (const field of form.elements) {
    if (field.name && found[field.name] !== undefined) {
      const value = found[field.name];
      if (field.type === "checkbox") {
        field.checked = Boolean(value);
      } else {
        field.value = value ?? "";
      }
    }
  }
}

/** Says at each field of a form what is wrong with it, and in `place` what is about none.
 *
 * all: also what is wrong with fields that nobody has come to yet.
 */
export function showProblems(form, place, problems, { all = true } = {}) {
  form.querySelectorAll(".problems").forEach((old) => old.remove());
  for (const field of form.elements) {
    field.removeAttribute("aria-invalid");
  }
  const others = [];
  for (const problem of problems) {
    const named = (problem.fields ?? []).map((name) => form.elements.namedItem(name))
      .filter(Boolean);
    if (!all && named.length && !named.some((field) => field.dataset.touched)) {
      continue;
    }
    named.forEach((field) => {
      if (problem.severity !== "note") {
        field.setAttribute("aria-invalid", "true");
      }
    });
    if (!named.length) {
      others.push(problem);
      continue;
    }
    const label = named[0].closest("label");
    const list = label.querySelector(".problems") ??
      label.appendChild(element("span", { class: "problems" }));
    list.append(words(problem));
  }
  place.replaceChildren(...(others.length ? [problemList(others)] : []));
}

function words(problem) {
  return element("span", { class: problem.severity ?? "error" }, problem.words);
}

/** Problems as a list. */
export function problemList(problems) {
  return element("ul", { class: "problems" },
    ...problems.map((problem) => element("li", {}, words(problem))));
}

/** Calls `check` with what is in a form soon after it has changed; shows what goes wrong. */
export function whileTyping(form, check) {
  let waiting;
  form.addEventListener("input", ({ target }) => {
    target.dataset.touched = "1";
    clearTimeout(waiting);
    waiting = setTimeout(check, PAUSE);
  });
}

/** What has happened so far, as a list. */
export function history(events) {
  return element("ol", { class: "history" }, ...events.map((event) => element("li", {},
    element("span", { class: "second" }, `${event.time.slice(0, 16).replace("T", " ")} UTC`),
    ` ${event.deed}`, event.by ? ` by ${event.by}` : "",
    event.words ? element("blockquote", {}, event.words) : null)));
}

/** Buttons for what can be done with something, and a field for what is to be said with it.
 *
 * deeds are {name, text, words: whether something must be said, first: the usual one}; each is
 * posted to `path`/name with the version. done gets the answer; after a conflict `again` is called,
 * when it has been read.
 */
export function decisions(path, version, deeds, { hint, done, again }) {
  const field = element("textarea", { rows: 2, "aria-label": hint, placeholder: hint });
  const note = element("div", { "aria-live": "polite" });
  const decide = async (deed) => {
    const said = field.value.trim();
    if (deed.words && !said) {
      message(note, `Say something with it: ${hint}.`);
      field.focus();
      return;
    }
    buttons.forEach((button) => button.toggleAttribute("disabled", true));
    try {
      done(await call("POST", `${path}/${deed.name}`, { version, words: said || null }));
    } catch (error) {
      buttons.forEach((button) => button.toggleAttribute("disabled", false));
      message(note, error.message);
      if (error.status === 409) {
        note.firstElementChild.append(" ", element("button", { type: "button", click: again },
          "Show it as it is now"));
      }
    }
  };
  const buttons = deeds.map((deed) => element("button",
    { type: "button", class: deed.first ? "first" : null, "data-deed": deed.name,
      click: () => decide(deed) }, deed.text));
  return element("div", { class: "decisions" }, field,
    element("p", { class: "actions" }, ...buttons), note);
}
