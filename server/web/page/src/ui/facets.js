// Facets: each value of a field with how many records have it, as links that narrow the list.
import { html, nothing } from "lit-html";

const SHOWN = 8; // values before the rest is folded away

function value(x, { field, valueText }, { value: raw, count }, chosen, hrefOf) {
  const text = valueText?.(raw) ?? x.label(field, raw);
  const on = chosen === (raw ?? "");
  return html`<li>
    <a href=${hrefOf(on ? null : raw)} aria-current=${on ? "true" : nothing}>
      <span class="facet-value">${text}</span> <span class="facet-count">${x.number(count)}</span>
    </a>
  </li>`;
}

// facet: { field, label, values: [{ value, count }], valueText(value) }; chosen: the value in force or
// undefined; hrefOf(value or null) → address (null: without this filter)
export function facet(x, facet, chosen, hrefOf) {
  const rows = facet.values.map((one) => value(x, facet, one, chosen, hrefOf));
  const rest = rows.slice(SHOWN);
  return html`<section class="facet">
    <h3>${facet.label}</h3>
    <ul>${rows.slice(0, SHOWN)}</ul>
    ${rest.length
      ? html`<details><summary>${x.t("common.facet_more", { n: rest.length })}</summary><ul>${rest}</ul></details>`
      : nothing}
  </section>`;
}
