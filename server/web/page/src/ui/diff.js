// What a change made of a record's fields.
import { html } from "lit-html";
import { unknown } from "./badge.js";

// diff: [{ field, from, to }]; labelOf(field); textOf(field, value) → template or text
export function diff(x, rows, labelOf, textOf = (field, value) => value) {
  if (!rows.length) return html`<p class="muted">${x.t("common.no_difference")}</p>`;
  const side = (field, value) => (value === null ? unknown(x) : textOf(field, value));
  return html`<dl class="diff">
    ${rows.map(
      ({ field, from, to }) => html`<div>
        <dt>${labelOf(field)}</dt>
        <dd>
          <span class="sr-only">${x.t("common.before")}: </span><del>${side(field, from)}</del>
          <span class="arrow" aria-hidden="true">→</span>
          <span class="sr-only">${x.t("common.after")}: </span><ins>${side(field, to)}</ins>
        </dd>
      </div>`,
    )}
  </dl>`;
}
