// What the steps of the colours stand for.
import { html } from "lit-html";
import { rangeText } from "../measures.js";

export function legend(x, key, scale) {
  return html`<div class="legend">
    <p class="legend-title" id="legend-title">${x.t(`overview.legend_${key}`)}</p>
    <ul aria-labelledby="legend-title">
      <li><span class="swatch step-0" aria-hidden="true"></span>${x.t(`overview.legend_none_${key}`)}</li>
      ${scale.ranges.map(
        (range, i) => html`<li><span class="swatch step-${i + 1}" aria-hidden="true"></span>${rangeText(x, key, range)}</li>`,
      )}
    </ul>
  </div>`;
}
