// What the Datalink service says of a granule.

import { refusal, votable } from "./tap.mjs";

const SERVICE = "/oidb/q/dl/dlmeta";

/** Links of a granule, as objects by the names of Datalink's columns, and its processing services.
 *
 * A service is {url, title, description, inputs}, inputs being the default values by name.
 * Throws an Error when there are none to be had.
 */
export async function datalink(did) {
  const response = await fetch(`${SERVICE}?${new URLSearchParams({ ID: did })}`,
    { headers: { Accept: "application/x-votable+xml" } });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(refusal(text) ?? `No links: the service answers ${response.status}.`);
  }
  const document = votable(text);
  const all = (place, name) => Array.from(place.getElementsByTagNameNS("*", name));
  const names = all(document, "FIELD").map((field) => field.getAttribute("name"));
  const links = all(document, "TR").map((row) => Object.fromEntries(
    all(row, "TD").map((cell, index) => [names[index], cell.textContent])));
  const services = all(document, "RESOURCE")
    .filter((resource) => resource.getAttribute("utype") === "adhoc:service")
    .map((resource) => {
      const values = Object.fromEntries(all(resource, "PARAM")
        .map((param) => [param.getAttribute("name"), param.getAttribute("value")]));
      return {
        id: resource.getAttribute("ID"),
        url: values.accessURL,
        description: all(resource, "DESCRIPTION")[0]?.textContent ?? "",
        inputs: values,
      };
    });
  return { links, services };
}
