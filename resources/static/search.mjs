// From the criteria of a search of OiDB to ADQL. Pure functions: text in, text out.

import { literal, number } from "./tap.mjs";

/** Bands by name, in µm: the optical ones as in the UCD vocabulary, the others the atmosphere's. */
export const BANDS = {
  U: [0.3, 0.4], B: [0.4, 0.5], V: [0.5, 0.6], R: [0.6, 0.75], I: [0.75, 1.0],
  J: [1.1, 1.4], H: [1.5, 1.8], K: [2.0, 2.4], L: [2.9, 4.2], M: [4.5, 5.2], N: [7.5, 13.5],
};

/** What results can be sorted by. */
export const ORDERS = {
  target: "g.target_name",
  night: "COALESCE(g.t_min, 0)",
  instrument: "g.instrument_name",
  wavelength: "g.em_min",
  baseline: "g.uv_distance_max",
};

/** What a date looks like. */
export const DATE = /^\d{4}-\d\d-\d\d$/;

/** Radius, in arcmin, when none is given. */
export const RADIUS = 1;

const FROM = "FROM oidb.granule AS g JOIN oidb.file AS f ON g.file_id=f.file_id";
const EQUAL = {
  facility: "g.facility_name",
  instrument: "g.instrument_name",
  mode: "g.instrument_mode",
  collection: "g.obs_collection",
  progid: "g.progid",
};

/** A position {ra, dec} in deg from decimal degrees, or hours and degrees in sexagesimal.
 *
 * null for what does not look like a position; throws an Error for one that is not on the sky.
 */
export function position(text) {
  const tidy = text.trim().replaceAll("−", "-");
  const decimal = /^([+-]?\d+(?:\.\d*)?)(?:\s*,\s*|\s+)([+-]?\d+(?:\.\d*)?)$/.exec(tidy);
  const part = "(\\d{1,3})[\\s:hd°]\\s*(\\d{1,2})[\\s:m'′]\\s*(\\d{1,2}(?:\\.\\d*)?)\\s*[s\"″]?";
  const sexagesimal = new RegExp(`^${part}[\\s,]*([+-]?)${part}$`).exec(tidy);
  let ra;
  let dec;
  if (decimal) {
    [ra, dec] = [Number(decimal[1]), Number(decimal[2])];
  } else if (sexagesimal) {
    const [h, m, s, sign, d, arcmin, arcsec] = sexagesimal.slice(1)
      .map((word, index) => (index === 3 ? word : Number(word)));
    if (h >= 24 || Math.max(m, s, arcmin, arcsec) >= 60) {
      throw new Error(`“${text}” is no position: hours, minutes or seconds are too large.`);
    }
    ra = 15 * (h + m / 60 + s / 3600);
    dec = (sign === "-" ? -1 : 1) * (d + arcmin / 60 + arcsec / 3600);
  } else {
    return null;
  }
  if (ra < 0 || ra > 360 || Math.abs(dec) > 90) {
    throw new Error(`“${text}” is no position: right ascension is from 0 to 360 degrees,` +
      " declination from −90 to 90.");
  }
  return { ra, dec };
}

/** The radius of a search in arcmin; throws an Error when it is none. */
export function radius(text) {
  const value = text === "" ? RADIUS : Number(text);
  if (!(value > 0 && value <= 10800)) {
    throw new Error("The radius is a number of arcminutes, from above 0 to 10800.");
  }
  return value;
}

/** Condition for a name, whatever its case: * is any text, blanks and _ any one character. */
function named(name) {
  const pattern = literal(name.trim().toLowerCase()
    .replace(/\s+/g, "_").replaceAll("*", "%"));
  return `(LOWER(g.target_name) LIKE ${pattern} OR g.granule_id IN ` +
    `(SELECT granule_id FROM oidb.target_alias WHERE LOWER(alias) LIKE ${pattern}))`;
}

function cone({ ra, dec }, arcmin) {
  return "1=CONTAINS(POINT('ICRS', g.s_ra, g.s_dec), " +
    `CIRCLE('ICRS', ${number(ra)}, ${number(dec)}, ${number(arcmin / 60)}))`;
}

function night(text) {
  if (!DATE.test(text)) {
    throw new Error(`“${text}” is no date: year-month-day, please.`);
  }
  return literal(text);
}

/** The query for the positions of all granules whose target has a name. */
export function positionsOf(name) {
  return `SELECT DISTINCT TOP 20 g.s_ra, g.s_dec FROM oidb.granule AS g WHERE ${named(name)}` +
    " AND g.s_ra IS NOT NULL";
}

/** The FROM and WHERE clauses of criteria (an object of texts by name; empty is any).
 *
 * positions are those of the target ({ra, dec} in deg). Throws an Error that names what cannot be.
 */
export function selection(criteria, positions) {
  const conditions = [];
  if (criteria.target) {
    const arcmin = radius(criteria.radius);
    const places = positions.map((place) => cone(place, arcmin));
    if (position(criteria.target) === null) {
      places.unshift(named(criteria.target));
    }
    conditions.push(`(${places.join(" OR ")})`);
  }
  for (const [name, column] of Object.entries(EQUAL)) {
    if (criteria[name]) {
      conditions.push(`${column}=${literal(criteria[name])}`);
    }
  }
  if (criteria.category === "unknown") {
    conditions.push("g.dataproduct_category IS NULL");
  } else if (criteria.category) {
    conditions.push(`g.dataproduct_category=${literal(criteria.category)}`);
  }
  if (criteria.band) {
    if (!Object.hasOwn(BANDS, criteria.band)) {
      throw new Error(`There is no band “${criteria.band}”.`);
    }
    const [low, high] = BANDS[criteria.band];
    conditions.push(`g.em_min<=${number(high)}e-6 AND g.em_max>=${number(low)}e-6`);
  }
  if (criteria.from) {
    conditions.push(`g.night>=${night(criteria.from)}`);
  }
  if (criteria.to) {
    conditions.push(`g.night<=${night(criteria.to)}`);
  }
  if (criteria.public) {
    conditions.push(`f.data_rights=${literal(criteria.public === "no" ? "proprietary" : "public")}`);
  }
  return conditions.length ? `${FROM} WHERE ${conditions.join(" AND ")}` : FROM;
}

/** The ORDER BY clause for one of ORDERS, with a minus sign for the reverse order. */
export function order(text) {
  const name = text.replace(/^-/, "");
  if (!Object.hasOwn(ORDERS, name)) {
    throw new Error(`Results cannot be sorted by “${name}”.`);
  }
  return `ORDER BY ${ORDERS[name]}${text.startsWith("-") ? " DESC" : ""}, g.granule_id`;
}
