// Questions to the TAP service, as any other client asks them.

const SYNC = "/tap/sync";

/** Rows that an ADQL query gives, as objects by column name.
 *
 * Throws an Error with the service's own words when it refuses the query.
 */
export async function query(adql) {
  const parameters = new URLSearchParams({ LANG: "ADQL", FORMAT: "json", QUERY: adql });
  let response;
  try {
    response = await fetch(SYNC, { method: "POST", body: parameters });
  } catch {
    throw new Error("The data centre does not answer.");
  }
  if (!response.ok || !response.headers.get("content-type").includes("json")) {
    throw new Error(refusal(await response.text()) ??
      `The data centre answers with the error ${response.status}.`);
  }
  const { columns, data } = await response.json();
  return data.map((row) => Object.fromEntries(
    columns.map((column, index) => [column.name, row[index]])));
}

/** Absolute address at which a program gets the result of a query. */
export function resultUrl(adql, format) {
  const parameters = new URLSearchParams({
    REQUEST: "doQuery", LANG: "ADQL", FORMAT: format, QUERY: adql,
  });
  return `${location.origin}${SYNC}?${parameters}`;
}

/** A string as a literal of ADQL, with its quotes doubled.
 *
 * Throws an Error for backslashes, which the service takes for escapes of what follows them, and
 * for control characters.
 */
export function literal(text) {
  if (/[\\\u0000-\u001f\u007f]/.test(text)) {
    throw new Error("Backslashes and control characters cannot be searched for.");
  }
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number as ADQL writes it; throws an Error for anything that is none. */
export function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new Error(`${value} is not a number.`);
  }
  return String(value);
}

/** A VOTable as a document; browsers would turn it into a page with the stylesheet it names. */
export function votable(text) {
  const bare = text.replace(/<\?xml-stylesheet.*?\?>/, "");
  return new DOMParser().parseFromString(bare, "text/xml");
}

/** What a VOTable says has gone wrong; null when it is no such document. */
export function refusal(text) {
  for (const info of votable(text).getElementsByTagNameNS("*", "INFO")) {
    if (info.getAttribute("name") === "QUERY_STATUS" && info.getAttribute("value") === "ERROR") {
      return info.textContent.trim();
    }
  }
  return null;
}
