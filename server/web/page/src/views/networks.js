// All networks by region: form, status, governance, members as stated and as recorded, coordination,
// and how many of the region's CIS and KIS are in one.
import { html, nothing } from "lit-html";
import { badge, statusBadge, unknown } from "../ui/badge.js";
import { facet } from "../ui/facets.js";
import { heading } from "../ui/fields.js";
import { icon } from "../ui/icons.js";
import { apiAddress, filtersOf, UNKNOWN } from "../ui/query.js";
import { recordLink } from "../ui/records.js";
import { empty } from "../ui/states.js";

const LIMIT = 500;
const FACETS = ["region", "form", "status", "coordinator_state", "scope"];
const REGIONS = ["02", "04", "06", "08", "10", "12", "14", "16", "18", "20", "22", "24", "26", "28", "30", "32"];
const ALL = ["PL", ...REGIONS];

// ---- what the region's page shows of a network as well ----

const COORDINATION = { present: "good", substituted: "warn", vacant: "warn", none: "bad" };
export function coordination(x, state) {
  if (!state) return unknown(x);
  return badge(COORDINATION[state] ?? "note", x.label("coordinator_state", state));
}

export function networkName(x, row) {
  return recordLink(x, { kind: "network", id: row.id, title: row.name_pl });
}

export function statedMembers(x, row) {
  const { stated_members_total: total, stated_members_cis: cis, stated_members_kis: kis, members_qualifier: qualifier } = row;
  const parts = [cis === null ? null : `CIS\u00a0${x.figure(cis)}`, kis === null ? null : `KIS\u00a0${x.figure(kis)}`].filter(Boolean).join(", ");
  const known = ["exact", "unknown", "approx", null].includes(qualifier) ? null : x.label("members_qualifier", qualifier);
  if (total === null && !parts) return html`${unknown(x)}${known ? html`<span class="second">${known}</span>` : nothing}`;
  const second = [total === null ? null : parts, known].filter(Boolean).join("; ");
  const what = total === null ? parts : x.figure(total);
  return html`${qualifier === "approx" ? x.t("overview.qualifier_approx", { what }) : what}${second ? html`<span class="second">${second}</span>` : nothing}`;
}

// How many memberships each network of these regions has that have not ended.  A membership's id
// begins as its network's; one question a region, for a facet shows its most frequent values only.
export async function memberCounts(x, regions) {
  const answers = await Promise.all(
    regions.map((code) => {
      const filters = [
        { name: "id.starts", values: [`pl${code === "PL" ? "" : code}-`] },
        { name: "until", values: [UNKNOWN] },
      ];
      return x.api.follow(apiAddress("memberships", filters, { limit: 1, facets: "network_id" }, x.asOf), x.signal);
    }),
  );
  const counts = new Map(answers.flatMap(({ facets }) => facets[0].values.map(({ value, count }) => [value, count])));
  const complete = answers.every(({ facets }) => facets[0].distinct <= facets[0].values.length);
  return {
    cell(view, id) {
      const n = counts.get(id);
      if (n) return view.number(n);
      return complete ? html`<span class="unknown">${view.t("common.none_recorded")}</span>` : unknown(view);
    },
  };
}

// ---- the list ----

function coverage(x, area) {
  const kind = (name) => {
    const one = area.membership.find((row) => row.kind === name);
    if (!one?.base) return x.t("networks.covered_no_base", { kind: name });
    return x.t("networks.covered_kind", { kind: name, part: one.in_network, base: one.base, share: x.share(one.in_network, one.base) });
  };
  if (!area || !(area.entities.CIS + area.entities.KIS)) return x.t("networks.covered_nothing");
  if (!area.memberships) return x.t("networks.covered_unknown");
  return x.t("networks.covered", { CIS: kind("CIS"), KIS: kind("KIS") });
}

function row(x, one, recorded) {
  return html`<tr>
    <th scope="row" class="wide">${networkName(x, one)}</th>
    <td>${x.label("form", one.form)}${one.formal ? html`<span class="second">${one.formal}</span>` : nothing}</td>
    <td>${statusBadge(x, one.status)}</td>
    <td class="governance">${one.governance ?? unknown(x)}</td>
    <td>${statedMembers(x, one)}</td>
    <td class="number">${recorded.cell(x, one.id)}</td>
    <td>${coordination(x, one.coordinator_state)}</td>
  </tr>`;
}

function regionRows(x, data, code) {
  const rows = data.list.records.filter((one) => one.region === code);
  if (!rows.length) return nothing;
  const area = data.regions.find(({ region }) => region === code);
  return html`<tbody>
    <tr class="region-row">
      <th scope="rowgroup" colspan="7">
        <a href=${x.link(`/region/${code}`)}>${x.label("region", code)}</a>
        ${code === "PL" ? nothing : html`<span class="second">${coverage(x, area)}</span>`}
      </th>
    </tr>
    ${rows.map((one) => row(x, one, data.recorded))}
  </tbody>`;
}

function networkTable(x, data) {
  const caption = x.t("networks.caption");
  const heads = ["name", "form", "status", "governance", "members_stated", "members_recorded", "coordination"];
  return html`<div class="table-scroll" role="region" tabindex="0" aria-label=${x.t("common.table_scrolls", { caption })}>
    <table class="by-region">
      <caption>${caption}</caption>
      <thead>
        <tr>${heads.map((name) => html`<th scope="col" class=${name === "members_recorded" ? "number" : nothing}>${x.t(`networks.${name}`)}</th>`)}</tr>
      </thead>
      ${ALL.map((code) => regionRows(x, data, code))}
    </table>
  </div>`;
}

// Regions without a network are an answer too, when nothing narrows the list; a region's own node knows
// of no others.
function without(x, data) {
  if (x.site.role === "node") return nothing;
  const having = new Set(data.list.records.map(({ region }) => region));
  const missing = data.regions.map(({ region }) => region).filter((code) => code !== "PL" && !having.has(code));
  if (!missing.length) return nothing;
  const names = missing.map((code, i) => html`${i ? ", " : ""}<a href=${x.link(`/region/${code}`)}>${x.label("region", code)}</a>`);
  return html`<p>${x.rich("networks.no_network", { n: missing.length, list: names })}</p>`;
}

function facets(x, { list }) {
  return list.facets.map(({ field, values }) => {
    const order = x.columns.find("network", field).values;
    const rank = ({ value }) => (value === UNKNOWN ? 1e6 : order.length ? order.indexOf(value) : ALL.indexOf(value));
    return facet(
      x,
      { field, label: heading(x, "network", field), values, text: (value) => x.label(field, value), order: (a, b) => rank(a) - rank(b) },
      x.query.getAll(field),
      (chosen) => x.navigate(x.here({ [field]: chosen })),
    );
  });
}

function filters(x, data, n) {
  const { state } = x;
  const toggle = () => {
    state.filters = !state.filters;
    x.redraw();
  };
  return html`<section class="filters" aria-labelledby="filters-title">
    <h2 id="filters-title">${x.t("networks.filters")}</h2>
    <button type="button" class="filters-toggle" aria-expanded=${state.filters ? "true" : "false"} aria-controls="filters" @click=${toggle}>
      ${icon(state.filters ? "up" : "down")} ${n ? x.t("entities.filters_show", { n }) : x.t("networks.filters")}
    </button>
    <div id="filters" class=${state.filters ? "is-open" : nothing}>${facets(x, data)}</div>
    ${n ? html`<p><a href=${x.link("/networks")}>${x.t("common.clear_filters")}</a></p>` : nothing}
  </section>`;
}

export default {
  path: "/networks",
  nav: "nav_networks",
  title: (x) => x.t("networks.title"),
  async load(x) {
    const own = filtersOf(x.query, x.columns, "network");
    const asked = { sort: "name_pl", limit: LIMIT, facets: FACETS.join(",") };
    const [list, { regions }] = await Promise.all([
      x.api.follow(apiAddress("networks", own, asked, x.asOf), x.signal),
      x.api.get("regions", {}, x.signal),
    ]);
    const recorded = await memberCounts(x, [...new Set(list.records.map(({ region }) => region))]);
    return { list, regions, recorded };
  },
  concerns: (event) => event === null || event.more > 0 || event.changes.some(({ kind }) => ["network", "membership", "entity"].includes(kind)),
  render(x, data) {
    const { list } = data;
    const own = filtersOf(x.query, x.columns, "network");
    const n = own.reduce((sum, { values }) => sum + values.length, 0);
    const csv = apiAddress("networks.csv", own, { sort: "name_pl" }, x.asOf);
    return html`<p class="lede">${x.t("networks.lead")}</p>
      <div class="listing">
        ${filters(x, data, n)}
        <section class="results" aria-labelledby="results">
          <div class="results-head">
            <h2 id="results" tabindex="-1">${x.t("networks.results")}</h2>
            <p role="status" class="hits">${x.t("networks.hits", { n: list.total })}</p>
            ${list.total ? html`<a class="button" href=${csv} download>${x.t("networks.csv")}</a>` : nothing}
          </div>
          ${list.records.length ? networkTable(x, data) : empty(x, x.t("networks.none"))}
          ${list.total > list.records.length ? html`<p>${x.t("networks.more", { shown: list.records.length, n: list.total })}</p>` : nothing}
          ${n ? nothing : without(x, data)}
        </section>
      </div>`;
  },
};
