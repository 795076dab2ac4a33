// Facets: the values of a field with how many records have each, as boxes to tick.
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { UNKNOWN } from "./query.js";

const SHOWN = 8; // values before the rest is folded away

// Ticked values stay in sight even where nothing has them any more.
function rowsOf({ values, order }, chosen) {
  const rows = values.map(({ value, count }) => ({ value: value ?? UNKNOWN, count }));
  for (const value of chosen) if (!rows.some((row) => row.value === value)) rows.push({ value, count: 0 });
  return order ? rows.sort(order) : rows;
}

function box(x, { field, text }, { value, count }, chosen, change) {
  const on = chosen.includes(value);
  const toggle = (event) => change(event.target.checked ? [...chosen, value] : chosen.filter((one) => one !== value));
  return html`<li>
    <label>
      <input type="checkbox" name=${field} value=${value} .checked=${on} @change=${toggle} />
      <span class="facet-value">${value === UNKNOWN ? html`<span class="unknown">${text(null)}</span>` : text(value)}</span>
      <span class="facet-count">${x.number(count)}</span>
    </label>
  </li>`;
}

// facet: { field, label, values: [{ value, count }], text(value or null), order(a, b) or null }
// chosen: the values ticked (UNKNOWN for unknown); change(values): told what they are to be
export function facet(x, facet, chosen, change) {
  const rows = rowsOf(facet, chosen);
  if (!rows.length) return nothing;
  const list = (some) => html`<ul>${repeat(some, (row) => row.value, (row) => box(x, facet, row, chosen, change))}</ul>`;
  const rest = rows.slice(SHOWN);
  const folded = rest.length > 2;
  return html`<fieldset class="facet">
    <legend>${facet.label}</legend>
    ${list(folded ? rows.slice(0, SHOWN) : rows)}
    ${folded
      ? html`<details ?open=${rest.some((row) => chosen.includes(row.value))}>
          <summary>${x.t("common.facet_more", { n: rest.length })}</summary>
          ${list(rest)}
        </details>`
      : nothing}
  </fieldset>`;
}
