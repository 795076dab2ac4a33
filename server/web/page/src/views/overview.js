// The nation at one look: how much is recorded of how much there is, region by region, and what moves.
import { html, nothing } from "lit-html";
import { MEASURES, MEASURE_KEYS, claimValue, newestClaims, reading } from "../measures.js";
import { geomap } from "../ui/geomap.js";
import { legend } from "../ui/legend.js";
import { tiles } from "../ui/tiles.js";
import { regionTable } from "./overview/table.js";
import { quality, quarter, replication, servers } from "./overview/panels.js";
import { totals } from "./overview/totals.js";

const VIEWS = ["tiles", "map", "table"];

const chosen = (x, name, allowed) => (allowed.includes(x.query.get(name)) ? x.query.get(name) : allowed[0]);

function choice(x, name, label, values, now, textOf) {
  return html`<nav class="choice choice-${name}" aria-label=${label}>
    <p class="choice-label" aria-hidden="true">${label}</p>
    <ul>
      ${values.map((value) => {
        const href = x.here({ [name]: value === values[0] ? null : value });
        return html`<li><a href=${href} aria-current=${value === now ? "true" : nothing}>${textOf(value)}</a></li>`;
      })}
    </ul>
  </nav>`;
}

// Each region under the measure, in the alphabet's order, which is how a list is read aloud.
function readings(x, key, regions, now) {
  const scale = MEASURES[key].scale(regions);
  const rows = regions
    .map((region) => ({ region, name: x.label("region", region.region), reading: reading(x, key, region, scale, now) }))
    .sort((a, b) => x.collator.compare(a.name, b.name));
  return { scale, rows };
}

function ranking(x, rows, hrefOf) {
  const ranked = [...rows].sort((a, b) => (b.reading.value ?? -1) - (a.reading.value ?? -1));
  return html`<ol class="ranking">
    ${ranked.map(
      ({ region, name, reading: read }) => html`<li>
        <span class="swatch step-${read.step}" aria-hidden="true"></span>
        <a href=${hrefOf(region)}>${name}</a>
        <span class="ranking-value">${read.main}</span>
      </li>`,
    )}
  </ol>`;
}

function explorer(x, data) {
  // replication is of now: the past has no lag
  const keys = MEASURE_KEYS.filter((one) => one !== "lag" || !x.asOf);
  const key = chosen(x, "measure", keys);
  const view = chosen(x, "view", VIEWS);
  const regions = data.regions.filter(({ region }) => region !== "PL");
  const { scale, rows } = readings(x, key, regions, Date.now());
  const hrefOf = (region) => x.link(`/region/${region.region}`);
  const title = x.t("overview.map_title", { measure: x.t(`overview.measure_${key}`) });
  return html`<section class="explorer" aria-labelledby="explorer-title">
    <h2 id="explorer-title">${x.t("overview.regions")}</h2>
    <div class="explorer-choices no-print">
      ${view === "table"
        ? nothing
        : choice(x, "measure", x.t("overview.choose_measure"), keys, key, (value) => x.t(`overview.measure_${value}`))}
      ${choice(x, "view", x.t("overview.choose_view"), VIEWS, view, (value) => x.t(`overview.view_${value}`))}
    </div>
    ${view === "table" ? nothing : html`<p class="explorer-now">${x.t(`overview.explain_${key}`)}</p>`}
    ${view === "tiles" ? html`<div class="tile-board">${tiles(x, key, rows, hrefOf)}${legend(x, key, scale)}</div>` : nothing}
    ${view === "map"
      ? html`<div class="map-board">
          <div>${geomap(x, rows, hrefOf, title)}${legend(x, key, scale)}</div>
          ${ranking(x, rows, hrefOf)}
        </div>`
      : nothing}
    ${view === "table" ? regionTable(x, data.regions) : nothing}
  </section>`;
}

// Who stated the figure that the headline compares with.
function basis(x, data, kind, value) {
  if (value === null) return null;
  return data.stated.find((claim) => claim.kind === kind && Number(claim.value) === value) ?? null;
}

// What the whole is said to be; "only a part" where more was stated than is recorded.
function comparison(x, data) {
  const { partial } = data;
  const kinds = [
    ["CIS", partial.stated_cis, partial.recorded_cis],
    ["KIS", partial.stated_kis, partial.recorded_kis],
  ];
  const rows = kinds
    .map(([kind, stated, recorded]) => ({ kind, claim: basis(x, data, kind, stated), less: recorded < stated }))
    .filter(({ claim }) => claim);
  if (!rows.length) return x.t("overview.partial_unknown");
  const texts = ({ kind, claim }) => ({ what: claimValue(x, claim, kind), who: claim.reported_by, date: x.date(claim.as_of) });
  const [cis, kis] = rows;
  const together = kis && cis.claim.reported_by === kis.claim.reported_by && cis.claim.as_of === kis.claim.as_of && cis.less === kis.less;
  if (together) {
    const key = cis.less ? "overview.partial_both" : "overview.compared_both";
    return x.t(key, { ...texts(cis), cis: texts(cis).what, kis: texts(kis).what });
  }
  return rows.map((row) => `${x.t(row.less ? "overview.partial_one" : "overview.compared_one", texts(row))} `);
}

function headline(x, data) {
  const { partial } = data;
  if (!Object.values(data.totals).some(Boolean)) return html`<p class="lede">${x.t("overview.register_empty")}</p>`;
  const count = (key, kind, n) => (n ? x.t(key, { n }) : x.t("overview.none_of", { kind }));
  const cis = count("overview.cis_count", "CIS", partial.recorded_cis);
  const kis = count("overview.kis_count", "KIS", partial.recorded_kis);
  return html`<p class="lede">
    ${x.rich("overview.recorded", { cis: html`<strong>${cis}</strong>`, kis: html`<strong>${kis}</strong>` })}
    ${comparison(x, data)}
    ${partial.regions_without_entities ? x.t("overview.regions_without", { n: partial.regions_without_entities }) : nothing}
  </p>`;
}

// What a node's page shows: its own region, beside what was stated of it.
function ownOnly(data) {
  const own = data.regions.find(({ region }) => region === data.scope.region);
  if (!own) return data;
  const stated = (kind) => {
    const [newest] = newestClaims(own.stated, [kind]);
    return newest && /^\d+$/.test(newest.value) ? Number(newest.value) : null;
  };
  const partial = { ...data.partial, regions_without_entities: 0, stated_cis: stated("CIS"), stated_kis: stated("KIS") };
  return { ...data, regions: [own], stated: own.stated, partial };
}

function ownRegion(x, data) {
  const [own] = data.regions;
  const name = x.label("region", own.region);
  return html`<p><a class="button" href=${x.link(`/region/${own.region}`)}>${x.t("overview.to_region", { name })}</a></p>`;
}

function panels(x, data, own) {
  return html`<div class="overview-panels">
    ${quarter(x, data)} ${quality(x, data)} ${own ? servers(x) : replication(x, data)}
  </div>`;
}

export default {
  path: "/",
  nav: "nav_overview",
  display: ["measure", "view", "sort"],
  title: (x) =>
    x.site?.region ? x.t("overview.title_own", { region: x.label("region", x.site.region) }) : x.t("overview.title"),
  load: (x) => x.api.get("summary", {}, x.signal),
  concerns: () => true,
  render(x, data) {
    const own = data.scope.region !== null;
    const shown = own ? ownOnly(data) : data;
    return html`
      ${headline(x, shown)} ${totals(x, shown)} ${own ? ownRegion(x, shown) : explorer(x, shown)} ${panels(x, shown, own)}
    `;
  },
};
