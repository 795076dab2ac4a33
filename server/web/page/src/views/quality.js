// What the register does not know, what is old, what contradicts itself, what looks doubled.
import { html, nothing } from "lit-html";
import { badge, unknown } from "../ui/badge.js";
import { claimFigure } from "../ui/figures.js";
import { recordLink, recordPath } from "../ui/records.js";
import { empty } from "../ui/states.js";
import { sortRows, table } from "../ui/table.js";
import { day } from "../ui/time.js";

const KINDS = ["entity", "operator", "network", "membership", "statistic"];
const SECTIONS = ["unknown", "never", "oldest", "lapsing", "conflicts", "unresolved", "duplicates", "coverage"];
const SHOWN = 20; // rows of a long list before the rest is folded away
const LAPSING_TONES = { lapsed: "bad", within_6_months: "warn", within_12_months: "wait" };

const region = (x, code) => html`<a href=${x.link(`/region/${code}`)}>${x.label("region", code)}</a>`;

// A long table: its beginning, and the rest on demand.
function folded(x, rows, make) {
  if (rows.length <= SHOWN) return make(rows, 0);
  const rest = rows.slice(SHOWN);
  return html`${make(rows.slice(0, SHOWN), 0)}
    <details class="fold"><summary>${x.t("quality.rest", { n: rest.length })}</summary>${make(rest, SHOWN)}</details>`;
}

const bounded = (x, more, n) => (more ? html`<p class="muted">${x.t("quality.more", { n })}</p>` : nothing);

// ---- partial ----

function partial(x, { partial: part, scope }) {
  const { t } = x;
  if (scope.role === "node") return nothing; // one region's own register
  const kinds = ["cis", "kis"].map((name) => {
    const [recorded, stated] = [part[`recorded_${name}`], part[`stated_${name}`]];
    const kind = name.toUpperCase();
    if (!recorded) return t("quality.partial.none", { kind });
    return stated === null
      ? t("quality.partial.unstated", { recorded, kind })
      : t("quality.partial.stated", { recorded, kind, stated: x.figure(String(stated)) });
  });
  const texts = [part.regions_without_entities ? t("quality.partial.regions", { n: part.regions_without_entities }) : "", ...kinds];
  return html`<p class="note"><strong>${t("quality.partial")}</strong> ${texts.join(" ")} ${t("quality.partial.no_record")}</p>`;
}

// ---- unknown values: field × region ----

function matrix(rows, kind) {
  const fields = new Map();
  const regions = new Set();
  for (const row of rows) {
    if (row.kind !== kind) continue;
    if (!fields.has(row.field)) fields.set(row.field, { field: row.field, unknown: 0, of: 0, by: new Map() });
    const line = fields.get(row.field);
    line.unknown += row.unknown;
    line.of += row.of;
    line.by.set(row.region, row);
    regions.add(row.region);
  }
  return { lines: [...fields.values()], regions: [...regions].sort() };
}

const shareOf = (cell) => (cell?.of ? cell.unknown / cell.of : null);

// Five steps of shade; the text says it too.
function heat(x, cell) {
  const share = shareOf(cell);
  if (share === null) return html`<span class="unknown">${x.t("quality.no_record")}</span>`;
  return html`<span class="heat heat-${Math.ceil(share * 4)}"
    ><b>${x.share(cell.unknown, cell.of)}</b> <small>${x.t("quality.unknown.of", { unknown: cell.unknown, of: cell.of })}</small></span
  >`;
}

function unknowns(x, { quality }) {
  const { t } = x;
  const kind = KINDS.includes(x.query.get("kind")) ? x.query.get("kind") : "entity";
  const { lines, regions } = matrix(quality.unknown, kind);
  const columns = [
    {
      key: "field", label: t("quality.unknown.field"), header: true, sort: true, class: "sticky",
      value: (line) => x.columns.label(kind, line.field, x.lang), cell: (line) => x.columns.label(kind, line.field, x.lang),
    },
    { key: "total", label: t("quality.unknown.total"), number: true, sort: true, value: shareOf, cell: (line) => heat(x, line) },
    ...regions.map((code) => ({
      key: `r${code}`, label: x.label("region", code), number: true, sort: true,
      value: (line) => shareOf(line.by.get(code)), cell: (line) => heat(x, line.by.get(code)),
    })),
  ];
  const sort = x.query.get("sort") ?? "-total";
  return html`<p>${t("quality.unknown.text")}</p>
    <ul class="switch" aria-label=${t("quality.unknown.kind")}>
      ${KINDS.map((one) => html`<li><a href=${x.here({ kind: one, sort: null })} aria-current=${one === kind ? "true" : nothing}>${t(`quality.kinds.${one}`)}</a></li>`)}
    </ul>
    ${lines.length
      ? table(x, {
          caption: t("quality.unknown.caption", { kind: t(`quality.kinds.${kind}`) }),
          columns, rows: sortRows(x, lines, columns, sort), sort, sortHref: (next) => x.here({ sort: next }),
        })
      : empty(x, t("quality.unknown.none"))}`;
}

// ---- confirmations ----

function never(x, { quality }) {
  const { t } = x;
  const rows = quality.never_verified.filter((row) => row.of);
  if (!rows.length) return empty(x);
  if (!rows.some((row) => row.count)) return empty(x, t("quality.never.none"));
  const columns = [
    { key: "region", label: t("quality.never.region"), header: true, sort: true, value: (row) => x.label("region", row.region), cell: (row) => region(x, row.region) },
    { key: "count", label: t("quality.never.count"), number: true, sort: true, value: (row) => row.count, cell: (row) => x.number(row.count) },
    { key: "of", label: t("quality.never.of"), number: true, sort: true, value: (row) => row.of, cell: (row) => x.number(row.of) },
    { key: "share", label: t("quality.never.share"), number: true, sort: true, value: shareOfNever, cell: (row) => x.share(row.count, row.of) },
  ];
  const sort = x.query.get("never") ?? "-count";
  return html`<p>${t("quality.never.text")}</p>
    ${table(x, { caption: t("quality.never.caption"), columns, rows: sortRows(x, rows, columns, sort), sort, sortHref: (next) => x.here({ never: next }) })}`;
}

const shareOfNever = (row) => row.count / row.of;

const recordColumn = (x) => ({ key: "record", label: x.t("quality.record"), header: true, cell: (row) => recordLink(x, { kind: "entity", ...row }) });
const regionColumn = (x) => ({ key: "region", label: x.t("quality.region"), cell: (row) => region(x, row.region) });

function oldest(x, { quality }) {
  const { t } = x;
  if (!quality.oldest.length) return empty(x, t("quality.oldest.none"));
  const columns = [
    { key: "verified_on", label: t("quality.oldest.verified"), cell: (row) => day(x, row.verified_on) },
    recordColumn(x),
    { key: "kind", label: t("quality.kind"), cell: (row) => x.label("any", row.kind) },
    regionColumn(x),
  ];
  return html`<p>${t("quality.oldest.text")}</p>
    ${folded(x, quality.oldest, (rows) => table(x, { caption: t("quality.oldest.caption"), columns, rows }))}`;
}

// Of how many CIS the dates are known: a list that is empty for lack of them must say so.
function lapsingKnown(x, { quality }) {
  const known = (field) => {
    const rows = quality.unknown.filter((row) => row.kind === "entity" && row.field === field);
    const of = rows.reduce((sum, row) => sum + row.of, 0);
    return { of, known: of - rows.reduce((sum, row) => sum + row.unknown, 0) };
  };
  const [to, from] = [known("valid_to"), known("valid_from")];
  return to.of ? html`<p>${x.t("quality.lapsing.known", { to: to.known, of: to.of, from: from.known })}</p>` : nothing;
}

function lapsing(x, data) {
  const { t } = x;
  const { quality } = data;
  if (!quality.lapsing.length) return html`${lapsingKnown(x, data)} ${empty(x, t("quality.lapsing.none"))}`;
  const columns = [
    { key: "state", label: t("quality.lapsing.state"), cell: (row) => badge(LAPSING_TONES[row.state] ?? "note", t(`quality.lapsing.${row.state}`)) },
    {
      key: "valid_to", label: t("quality.lapsing.to"),
      cell: (row) => html`${day(x, row.valid_to)} ${row.estimated ? html`<span class="muted">(${t("quality.lapsing.estimated")})</span>` : nothing}`,
    },
    recordColumn(x),
    regionColumn(x),
  ];
  return html`<p>${t("quality.lapsing.text")}</p>
    ${lapsingKnown(x, data)}
    ${folded(x, quality.lapsing, (rows) => table(x, { caption: t("quality.lapsing.caption"), columns, rows }))}`;
}

// ---- contradictions ----

function conflict(x, group) {
  const { t } = x;
  const columns = [
    {
      key: "value", label: t("quality.conflicts.value"), header: true, number: true,
      cell: (claim) => html`<a href=${x.link(recordPath("statistic", claim.id))}>${claimFigure(x, claim)}</a>`,
    },
    { key: "as_of", label: t("quality.conflicts.as_of"), cell: (claim) => day(x, claim.as_of) },
    { key: "reported_by", label: t("quality.conflicts.by"), cell: (claim) => claim.reported_by ?? unknown(x) },
    { key: "source", label: t("quality.conflicts.source"), cell: (claim) => claim.source ?? unknown(x) },
  ];
  const names = { measure: x.label("measure", group.measure), kind: group.kind ?? "", region: x.label("region", group.region) };
  const caption = t(group.kind ? "quality.conflicts.caption" : "quality.conflicts.caption_no_kind", names);
  return html`<div class="conflict">${table(x, { caption, columns, rows: group.claims })}</div>`;
}

function conflicts(x, { conflicts: found }) {
  const { t } = x;
  if (!found.statistics.length) return empty(x, t("quality.conflicts.none"));
  return html`<p>${t("quality.conflicts.text")}</p>
    <div class="conflicts">${found.statistics.map((group) => conflict(x, group))}</div>
    ${bounded(x, found.more?.statistics, found.statistics.length)}`;
}

function unresolved(x, { conflicts: found }) {
  const { t } = x;
  if (!found.unresolved.length) return empty(x, t("quality.unresolved.none"));
  const columns = [
    recordColumn(x),
    { key: "kind", label: t("quality.kind"), cell: (row) => x.label("any", row.kind) },
    regionColumn(x),
    { key: "field", label: t("quality.unresolved.field"), cell: (row) => x.columns.label(row.kind, row.field, x.lang) },
    { key: "refers_to", label: t("quality.unresolved.to"), cell: (row) => html`<code>${row.refers_to}</code>` },
  ];
  return html`<p>${t("quality.unresolved.text")}${x.site?.role === "node" ? ` ${t("quality.unresolved.own")}` : nothing}</p>
    ${folded(x, found.unresolved, (rows) => table(x, { caption: t("quality.unresolved.caption"), columns, rows }))}
    ${bounded(x, found.more?.unresolved, found.unresolved.length)}`;
}

function twin(x, record) {
  const where = [record.place, x.label("region", record.region)].filter(Boolean).join(", ");
  return html`${recordLink(x, record)}<br /><small>${x.label("any", record.kind)} · ${where}</small>
    ${record.operator ? html`<br /><small>${x.t("quality.duplicates.operator", { operator: record.operator })}</small>` : nothing}`;
}

function duplicates(x, { conflicts: found }) {
  const { t } = x;
  if (!found.duplicates.length) return empty(x, t("quality.duplicates.none"));
  const reason = (code) => (x.has(`quality.reason.${code}`) ? t(`quality.reason.${code}`) : code);
  const columns = [
    { key: "one", label: t("quality.duplicates.one"), header: true, cell: (pair) => twin(x, pair.records[0]) },
    { key: "other", label: t("quality.duplicates.other"), cell: (pair) => twin(x, pair.records[1]) },
    { key: "reasons", label: t("quality.duplicates.reasons"), cell: (pair) => pair.reasons.map(reason).join(", ") },
    { key: "score", label: t("quality.duplicates.score"), number: true, cell: (pair) => x.share(Math.round(pair.score * 100), 100) },
  ];
  return html`<p>${t("quality.duplicates.text")}</p>
    ${folded(x, found.duplicates, (rows) => table(x, { caption: t("quality.duplicates.caption"), columns, rows }))}
    ${bounded(x, found.more?.duplicates, found.duplicates.length)}`;
}

// ---- coverage ----

function coverage(x, { coverage: found }) {
  const { t } = x;
  if (!found.configured) return html`<p class="muted">${t("quality.coverage.unset")}</p>`;
  const count = (row, kind) => (row[kind] ? x.number(row[kind]) : html`<span class="unknown">${t("quality.no_record")}</span>`);
  const columns = [
    {
      key: "powiat", label: t("quality.coverage.powiat"), header: true, sort: true, value: (row) => row.name ?? row.powiat,
      cell: (row) => html`${row.name ?? nothing} <small>${row.powiat}</small>`,
    },
    { ...regionColumn(x), sort: true, value: (row) => x.label("region", row.region) },
    ...["CIS", "KIS"].map((kind) => ({ key: kind, label: kind, number: true, sort: true, value: (row) => row[kind], cell: (row) => count(row, kind) })),
  ];
  const sort = x.query.get("powiaty") ?? "CIS";
  const rows = sortRows(x, found.powiaty, columns, sort);
  return html`<p>${t("quality.coverage.text")}</p>
    <p><strong>${t("quality.coverage.sum", { with: found.with, without: found.without })}</strong></p>
    ${rows.length
      ? folded(x, rows, (some) => table(x, { caption: t("quality.coverage.caption"), columns, rows: some, sort, sortHref: (next) => x.here({ powiaty: next }) }))
      : empty(x, t("quality.coverage.none"))}`;
}

const PARTS = { unknown: unknowns, never, oldest, lapsing, conflicts, unresolved, duplicates, coverage };

export default {
  path: "/quality",
  nav: "nav_quality",
  display: ["kind", "sort", "never", "powiaty"],
  title: (x) => x.t("quality.title"),
  async load(x) {
    const names = ["quality", "conflicts", "coverage", "summary"];
    const answers = await Promise.all(names.map((name) => x.api.get(name, {}, x.signal)));
    return Object.fromEntries(names.map((name, i) => [name, answers[i]]));
  },
  concerns: () => true,
  render(x, data) {
    const { t } = x;
    const lead = html`<p class="lede">${t("quality.lead")}</p>`;
    if (!Object.values(data.summary.totals).some(Boolean)) return html`${lead} ${empty(x, t("quality.nothing"))}`;
    return html`${lead}
      ${partial(x, data.summary)}
      <nav class="contents" aria-label=${t("quality.contents")}>
        <ul>
          ${SECTIONS.map((name) => html`<li><a href="#${name}">${t(`quality.${name}`)}</a></li>`)}
        </ul>
      </nav>
      ${SECTIONS.map(
        (name) => html`<section class="part part-${name}" aria-labelledby=${name}>
          <h2 id=${name} tabindex="-1">${t(`quality.${name}`)}</h2>
          ${PARTS[name](x, data)}
        </section>`,
      )}
      <p class="muted">
        ${x.rich("quality.api", {
          link: html`<a href=${x.api.url("quality")}>quality</a>, <a href=${x.api.url("conflicts")}>conflicts</a>,
            <a href=${x.api.url("coverage")}>coverage</a>`,
        })}
      </p>`;
  },
};
