// From the criteria of a search of the observation logs to the parameters of what answers it, and to
// ADQL that means the same. Pure functions: text in, text out.

import { DATE, position } from "./search.mjs";
import { literal, number } from "./tap.mjs";

/** What results can be sorted by. */
export const ORDERS = {
  time: "e.t_min",
  target: "e.target_name",
  baseline: "e.uv_distance_max",
  seeing: "e.seeing",
};

/** Radius, in arcsec, when none is given: that of ASPRO2. */
export const RADIUS = 30;

const FROM = "FROM obsportal.exposure AS e";
const EQUAL = {
  interferometer: "e.facility_name",
  instrument: "e.instrument_name",
  instrument_mode: "e.instrument_mode",
};
const CATEGORIES = {
  science: "e.dataproduct_category='SCIENCE'",
  calibrator: "e.dataproduct_category='CALIB'",
  unknown: "e.dataproduct_category IS NULL",
};

/** The radius of a search in arcsec; throws an Error when it is none. */
export function radius(text) {
  const value = text === "" ? RADIUS : Number(text);
  if (!(value > 0 && value <= 648000)) {
    throw new Error("The radius is a number of arcseconds, from above 0 to 648000.");
  }
  return value;
}

/** Numbers of targets as a condition. */
function oneOf(targets) {
  return targets.length ? `e.target_id IN (${targets.map(number).join(", ")})` : "1=0";
}

/** A pattern of names, where * is any text, whatever their case. */
function named(pattern) {
  const like = literal(pattern.toLowerCase().replace(/\s+/g, "_").replaceAll("*", "%"));
  return "e.target_id IN (SELECT a.target_id FROM obsportal.target_alias AS a " +
    `WHERE LOWER(a.alias) LIKE ${like})`;
}

function cone({ ra, dec }, arcsec) {
  return "1=CONTAINS(POINT('ICRS', e.s_ra, e.s_dec), " +
    `CIRCLE('ICRS', ${number(ra)}, ${number(dec)}, ${number(arcsec / 3600)}))`;
}

/** The exact programme, or all of it when its runs (A), (B) … are not told apart, or a pattern. */
function programme(text) {
  if (text.includes("*")) {
    return `e.progid LIKE ${literal(text.replaceAll("*", "%"))}`;
  }
  return /\([^()]*\)$/.test(text) ? `e.progid=${literal(text)}`
    : `(e.progid=${literal(text)} OR e.progid LIKE ${literal(`${text}(%`)})`;
}

function night(text) {
  if (!DATE.test(text)) {
    throw new Error(`“${text}” is no date: year-month-day, please.`);
  }
  return literal(text);
}

/** The FROM and WHERE clauses of criteria (an object of texts by name; empty is any).
 *
 * targets are the numbers of those that have the name looked for. Throws an Error that names what
 * cannot be.
 */
export function selection(criteria, targets) {
  const conditions = [];
  if (criteria.target) {
    const place = position(criteria.target);
    if (place) {
      conditions.push(cone(place, radius(criteria.radius)));
    } else {
      conditions.push(criteria.target.includes("*") ? named(criteria.target) : oneOf(targets));
    }
  }
  if (criteria.target_id) {
    if (!/^\d{1,9}$/.test(criteria.target_id)) {
      throw new Error(`“${criteria.target_id}” is no number of a target.`);
    }
    conditions.push(oneOf([Number(criteria.target_id)]));
  }
  for (const [name, column] of Object.entries(EQUAL)) {
    if (criteria[name]) {
      conditions.push(`${column}=${literal(criteria[name])}`);
    }
  }
  if (criteria.program_id) {
    conditions.push(programme(criteria.program_id));
  }
  if (criteria.category) {
    if (!Object.hasOwn(CATEGORIES, criteria.category)) {
      throw new Error(`There is no category “${criteria.category}”.`);
    }
    conditions.push(CATEGORIES[criteria.category]);
  }
  if (criteria.from) {
    conditions.push(`e.night>=${night(criteria.from)}`);
  }
  if (criteria.to) {
    conditions.push(`e.night<=${night(criteria.to)}`);
  }
  if (criteria.valid) {
    conditions.push(`e.validation_level=${criteria.valid === "no" ? 0 : 1}`);
  }
  return conditions.length ? `${FROM} WHERE ${conditions.join(" AND ")}` : FROM;
}

/** The same criteria as parameters of /search/rows.json and /search/overview.json.
 *
 * Null where a name is looked for that no target has.
 */
export function parameters(criteria, targets) {
  const { target, radius: arcsec, ...others } = criteria;
  const found = new URLSearchParams(Object.entries(others).filter(([, value]) => value));
  const place = target && position(target);
  if (place) {
    found.set("ra", place.ra);
    found.set("dec", place.dec);
    found.set("radius", radius(arcsec));
  } else if (target?.includes("*")) {
    found.set("pattern", target);
  } else if (target) {
    if (!targets.length) {
      return null;
    }
    found.set("target_ids", targets.join(","));
  }
  return found;
}

/** The ORDER BY clause for one of ORDERS, with a minus sign for the reverse order. */
export function order(text) {
  const name = text.replace(/^-/, "");
  if (!Object.hasOwn(ORDERS, name)) {
    throw new Error(`Results cannot be sorted by “${name}”.`);
  }
  const direction = text.startsWith("-") ? " DESC" : "";
  return `ORDER BY ${ORDERS[name]}${direction}, e.exposure_id${direction}`;
}
