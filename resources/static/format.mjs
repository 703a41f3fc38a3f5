// Numbers, times and sizes as people read them.

const MJD_OF_1970 = 40587;
const MS_PER_DAY = 86400000;

/** A number with four significant digits; an en dash when it is unknown. */
export function plain(value, digits = 4) {
  if (value === null || value === undefined) {
    return "–";
  }
  if (Number.isSafeInteger(value)) {
    return String(value);
  }
  return String(Number(value.toPrecision(digits)));
}

/** An interval of wavelengths, given in m, in µm. */
export function band(low, high) {
  return low === null || high === null ? "–"
    : `${(low * 1e6).toFixed(2)}–${(high * 1e6).toFixed(2)} µm`;
}

/** An angle, given in arcsec, in mas. */
export function mas(arcsec) {
  return arcsec === null ? "–" : `${plain(arcsec * 1e3, 3)} mas`;
}

/** A number of bytes. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  for (; bytes >= 1000 && step < units.length - 1; step += 1) {
    bytes /= 1000;
  }
  return `${step ? plain(bytes, 3) : bytes} ${units[step]}`;
}

/** Date and time (UTC) of a Modified Julian Date. */
export function utc(mjd) {
  const moment = new Date(Math.round((mjd - MJD_OF_1970) * MS_PER_DAY));
  return moment.toISOString().slice(0, 19).replace("T", " ");
}

/** Modified Julian Date of a date (year-month-day, UTC). */
export function mjd(date) {
  return Date.parse(`${date}T00:00:00Z`) / MS_PER_DAY + MJD_OF_1970;
}

/** A whole number with its thousands apart. */
export function grouped(number) {
  return number.toLocaleString("en-GB");
}

/** A number of things. */
export function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A time span, given in seconds. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) {
    return "–";
  }
  if (seconds < 120) {
    return `${plain(seconds, 3)} s`;
  }
  return seconds < 7200 ? `${plain(seconds / 60, 3)} min` : `${plain(seconds / 3600, 3)} h`;
}

/** Local mean sidereal time in hours at an east longitude (deg), good to a few seconds. */
export function siderealTime(time, longitude) {
  const turn = 280.46061837 + 360.98564736629 * (time - 51544.5) + longitude;
  return ((turn % 360) + 360) % 360 / 15;
}

/** A position, given in degrees, as hours, minutes, seconds and degrees, minutes, seconds. */
export function sexagesimal(ra, dec) {
  const parts = (value, decimals) => {
    const scale = 10 ** decimals;
    const total = Math.round(value * 3600 * scale);
    const seconds = ((total % (60 * scale)) / scale).toFixed(decimals);
    const pad = (text, length) => String(text).padStart(length, "0");
    return [Math.floor(total / (3600 * scale)), Math.floor(total / (60 * scale)) % 60]
      .map((part) => pad(part, 2)).concat(pad(seconds, 3 + decimals)).join(" ");
  };
  return `${parts((ra % 360) / 15, 2)} ${dec < 0 ? "−" : "+"}${parts(Math.abs(dec), 1)}`;
}

/** Any value of a table as text, in the unit people use where the table's is unwieldy. */
export function quantity(value, unit, ucd) {
  if (typeof value !== "number") {
    return String(value);
  }
  if (unit === "m" && Math.abs(value) < 1e-3) {
    return `${plain(value * 1e6, 6)} µm`;
  }
  if (unit === "arcsec" && Math.abs(value) < 1) {
    return `${plain(value * 1e3)} mas`;
  }
  if (unit === "deg" && ucd.startsWith("phys.angSize") && Math.abs(value) < 1) {
    return quantity(value * 3600, "arcsec", ucd);
  }
  if (unit === "deg") {
    return `${plain(value, 9)} deg`;
  }
  if (unit === "d" && /^time\.(start|end|epoch)/.test(ucd)) {
    return `${value.toFixed(5)} (${utc(value)} UTC)`;
  }
  if (unit === "kbyte") {
    return size(value * 1000);
  }
  return unit ? `${plain(value)} ${unit}` : plain(value);
}
