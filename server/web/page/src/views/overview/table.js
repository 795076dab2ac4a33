// The table twin of tiles and map: all measures of all regions at once.
import { html } from "lit-html";
import { MEASURES, newestClaims } from "../../measures.js";
import { claimText } from "../../ui/claims.js";
import { sortRows, table } from "../../ui/table.js";
import { day } from "../../ui/time.js";

const none = (x) => html`<span class="unknown">${x.t("common.none_recorded")}</span>`;

function counted(x, key, value) {
  return {
    key,
    label: x.t(`overview.column_${key}`),
    number: true,
    sort: true,
    value,
    cell: (region) => (value(region) === null ? none(x) : x.number(value(region))),
  };
}

function shared(x, key) {
  const { value, main, detail } = MEASURES[key];
  return {
    key,
    label: x.t(`overview.measure_${key}`),
    number: true,
    sort: true,
    value: (region) => value(region, 0),
    cell: (region) =>
      value(region, 0) === null ? none(x) : html`${main(x, region)} <span class="cell-note">${detail(x, region)}</span>`,
  };
}

function lag(x) {
  return {
    key: "lag",
    label: x.t("overview.measure_lag"),
    number: true,
    sort: true,
    value: (region) => region.log?.lag ?? null,
    cell: (region) => (region.log && region.log.lag !== null ? x.number(region.log.lag) : html`<span class="unknown">${x.t("common.unknown")}</span>`),
  };
}

function columns(x) {
  const name = (region) => x.label("region", region.region);
  const claims = (region) => newestClaims(region.stated, ["CIS", "KIS"]);
  return [
    {
      key: "name",
      label: x.t("common.region"),
      header: true,
      sort: true,
      value: name,
      cell: (region) => html`<a href=${x.link(`/region/${region.region}`)}>${name(region)}</a>`,
    },
    counted(x, "CIS", (region) => region.entities.CIS || null),
    counted(x, "KIS", (region) => region.entities.KIS || null),
    {
      key: "stated",
      label: x.t("overview.column_stated"),
      class: "claims-cell",
      cell: (region) =>
        claims(region).length ? claims(region).map((claim) => html`<span class="claim">${claimText(x, claim)}</span>`) : none(x),
    },
    counted(x, "WTZ", (region) => region.entities.WTZ || null),
    counted(x, "ZAZ", (region) => region.entities.ZAZ || null),
    counted(x, "operators", (region) => region.operators || null),
    counted(x, "networks", (region) => region.networks || null),
    shared(x, "membership"),
    shared(x, "completeness"),
    {
      key: "freshness",
      label: x.t("overview.column_freshness"),
      sort: true,
      value: (region) => region.freshness.median,
      cell: (region) =>
        region.freshness.median ? day(x, region.freshness.median) : region.freshness.of ? x.t("overview.never_confirmed") : none(x),
    },
    ...(x.asOf ? [] : [lag(x)]),
  ];
}

export function regionTable(x, regions) {
  const all = columns(x);
  const sort = x.query.get("sort") ?? "name";
  const whole = table(x, {
    caption: x.t("overview.table_caption"),
    columns: all,
    rows: sortRows(x, regions, all, sort),
    rowKey: (region) => region.region,
    sort,
    sortHref: (next) => x.here({ sort: next === "name" ? null : next }),
  });
  return html`<div class="region-table">${whole}</div>`;
}
