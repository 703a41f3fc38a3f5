// What all pages share: building of elements, the header and footer, messages.
//
// Text from services only ever becomes text nodes and attributes, never markup.

/** An element with attributes (null: left out; functions: event listeners) and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      made.addEventListener(key, value);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A link to a web address; other schemes than http and https become plain text. */
export function link(url, text, attributes = {}) {
  const safe = URL.canParse(url, location.href) &&
    /^https?:$/.test(new URL(url, location.href).protocol);
  return safe ? element("a", { href: url, ...attributes }, text) : element("span", {}, text);
}

/** Shows an error, or another note, in place of what an element holds. */
export function message(place, text, kind = "problem") {
  place.replaceChildren(element("p", { class: `message ${kind}`, role: "status" }, text));
}

/** Address of the page of a granule. */
export function granulePage(did) {
  return `/static/granule.html?id=${encodeURIComponent(did)}`;
}

/** Address of the page of an exposure. */
export function exposurePage(id) {
  return `/detail/exposure/${encodeURIComponent(id)}`;
}

/** Address of the page of a target of the observation logs. */
export function targetPage(number) {
  return `/detail/target/${number}`;
}

/** Address of the page of a publication. */
export function publicationPage(bibcode) {
  return `/publications/${encodeURIComponent(bibcode)}`;
}

/** Address of a publication in ADS. */
export function adsPage(bibcode) {
  return `https://ui.adsabs.harvard.edu/abs/${encodeURIComponent(bibcode)}`;
}

/** Address of the schedule of a programme at ESO. */
export function schedulePage(progid) {
  return "http://archive.eso.org/wdb/wdb/eso/sched_rep_arc/query?" +
    new URLSearchParams({ progid });
}

/** What the server has put into a page for it to show. */
export function given() {
  return JSON.parse(document.getElementById("data").textContent);
}

const NAVIGATION = [
  ["/star", "Stars"],
  ["/static/oidb.html", "Search OiDB"],
  ["/search", "Observation logs"],
  ["/jmdc/", "Diameters"],
  ["/badcal/", "Bad calibrators"],
  ["/statistics", "Statistics"],
  ["/publications", "Publications"],
  ["/adql", "ADQL"],
  ["/tap/examples", "Examples"],
  ["/#services", "Services"],
];

class SiteHeader extends HTMLElement {
  connectedCallback() {
    const entry = ([url, text]) => element("a",
      { href: url, "aria-current": location.pathname === url ? "page" : null }, text);
    this.replaceChildren(
      element("a", { class: "brand", href: "/" },
        element("img", { src: "/static/img/logo_medium.png", alt: "", width: 28, height: 28 }),
        "JMMC data centre"),
      element("nav", { "aria-label": "Main" }, ...NAVIGATION.map(entry)));
  }
}

class SiteFooter extends HTMLElement {
  connectedCallback() {
    this.replaceChildren(
      element("span", {}, element("a", { href: "https://www.jmmc.fr/" }, "JMMC"),
        ", Jean-Marie Mariotti Center"),
      element("a", { href: "/#contact" }, "Contact"),
      element("span", {}, "Runs on ",
        element("a", { href: "https://docs.g-vo.org/DaCHS/" }, "DaCHS")));
  }
}

// Pages of DaCHS come without it, and phones would show them as on a wide screen.
if (!document.querySelector("meta[name=viewport]")) {
  document.head.append(
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }));
}

customElements.define("site-header", SiteHeader);
customElements.define("site-footer", SiteFooter);
