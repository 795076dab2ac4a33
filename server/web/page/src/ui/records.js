// Links to records by their kind.
import { html } from "lit-html";

const PATHS = { entity: "/entity/", network: "/network/" };

export function recordPath(kind, id) {
  return (PATHS[kind] ?? "/record/") + encodeURIComponent(id);
}

// The title, or the id where there is none.
export function recordLink(x, { kind, id, title }) {
  return html`<a href=${x.link(recordPath(kind, id))}>${title ?? id}</a>`;
}
