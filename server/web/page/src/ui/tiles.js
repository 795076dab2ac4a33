// The sixteen regions as tiles that lie to each other as on a map: a list of links that says all in words.
import { html, nothing } from "lit-html";
import { MEASURES, newestClaims } from "../measures.js";
import { claimList } from "./claims.js";

const CLAIMS_SHOWN = 2;

function counts(x, region) {
  return ["CIS", "KIS"].map((kind) => {
    const n = region.entities[kind];
    return html`<span class="tile-count">${kind} <b>${n ? x.number(n) : x.t("common.none_recorded")}</b></span>`;
  });
}

// rows: [{ region, name, reading }]; hrefOf(region)
export function tiles(x, key, rows, hrefOf) {
  const kinds = MEASURES[key].kinds ?? [];
  return html`<ul class="tiles">
    ${rows.map(
      ({ region, name, reading }) => html`<li class="col-${region.tile_col} row-${region.tile_row}">
        <a class="tile step-${reading.step}" href=${hrefOf(region)}>
          <span class="tile-name">${name}</span>
          <span class="tile-main ${reading.step ? "" : "tile-none"}">${reading.main}</span>
          ${reading.detail ? html`<span class="tile-detail">${reading.detail}</span>` : nothing}
          ${key === "both" && reading.step ? html`<span class="tile-counts">${counts(x, region)}</span>` : nothing}
          ${claimList(x, newestClaims(region.stated, kinds), CLAIMS_SHOWN)}
        </a>
      </li>`,
    )}
  </ul>`;
}
