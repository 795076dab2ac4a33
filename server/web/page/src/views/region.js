// One region: what is recorded, what others state, how fresh and complete it is, and its log.
import { html, nothing } from "lit-html";
import { warsawDay } from "../format.js";
import { badge, logBadge, statusBadge, unknown } from "../ui/badge.js";
import { facts, heading } from "../ui/fields.js";
import { baseOf, claimFigure } from "../ui/figures.js";
import { nameMembers } from "../ui/members.js";
import { apiAddress } from "../ui/query.js";
import { recordLink } from "../ui/records.js";
import { empty } from "../ui/states.js";
import { table } from "../ui/table.js";
import { ago, day, moment } from "../ui/time.js";
import { changeTitle, statisticWhat } from "../ui/titles.js";
import { kindName, operatorCell } from "./entities.js";
import { coordination, memberCounts, networkName, statedMembers } from "./networks.js";

const ENTITIES = 25; // shown here; the rest is in the list
const OPERATORS = 15;
const UNITS = 1000; // of those operators
const CHANGES = 50; // asked for, and shown by the acts that made them
const ACTS = 5;
const RECORDS_NAMED = 3; // of one act
const FIELDS_NAMED = 4; // of a change in the short list
const KINDS = ["CIS", "KIS", "WTZ", "ZAZ"];
const MOVEMENTS = ["new", "ended", "moved", "operator_changed", "joined", "left", "edited"];

// ---- entities ----

const inList = (x, query) => x.link("/entities", query);

function count(x, n, query) {
  if (!n) return html`<span class="unknown">${x.t("common.none_recorded")}</span>`;
  return html`<a href=${inList(x, query)}>${x.number(n)}</a>`;
}

function reporter(x, claim) {
  const { reported_by: who, as_of: date } = claim;
  return date ? x.t("common.reported", { who, date: x.date(date) }) : x.t("common.reported_undated", { who });
}

function statedCell(x, area, kind) {
  const claims = area.stated.filter((one) => one.kind === kind && one.measure === "active_count");
  if (!claims.length) return html`<span class="muted">${x.t("region.stated_none")}</span>`;
  return html`<ul class="plain">
    ${claims.map((one) => html`<li><strong>${claimFigure(x, one)}</strong> <span class="muted">(${reporter(x, one)})</span></li>`)}
  </ul>`;
}

function shareCell(x, area, kind) {
  const one = area.membership.find((row) => row.kind === kind);
  if (!one?.base) return html`<span class="unknown">${x.t("common.none_recorded")}</span>`;
  // that no membership is recorded does not say that nobody is a member
  if (!area.memberships) return html`<span class="unknown">${x.t("common.none_recorded")}</span>`;
  return x.t("region.in_network_value", { part: one.in_network, base: one.base, share: x.share(one.in_network, one.base) });
}

function kinds(x, area) {
  return table(x, {
    caption: x.t("region.entities_caption"),
    columns: [
      { key: "kind", label: x.t("region.by_kind"), header: true, cell: (kind) => html`${kindName(x, kind)}<span class="second">${x.label("kind_long", kind)}</span>` },
      { key: "recorded", label: x.t("region.recorded"), number: true, cell: (kind) => count(x, area.entities[kind], { region: area.region, kind }) },
      { key: "stated", label: x.t("region.stated"), cell: (kind) => statedCell(x, area, kind) },
      { key: "network", label: x.t("region.in_network"), number: true, cell: (kind) => shareCell(x, area, kind) },
    ],
    rows: KINDS,
  });
}

function entityTable(x, { records }) {
  const label = (name) => heading(x, "entity", name);
  return table(x, {
    caption: x.t("region.list_caption"),
    columns: [
      { key: "name", label: label("name"), header: true, class: "wide", cell: (row) => recordLink(x, { kind: "entity", id: row.id, title: row.name }) },
      { key: "kind", label: label("kind"), cell: (row) => kindName(x, row.kind) },
      { key: "place", label: label("place"), cell: (row) => row.place ?? unknown(x) },
      { key: "operator", label: label("operator_name"), class: "wide", cell: (row) => operatorCell(x, row) },
      { key: "status", label: label("status"), cell: (row) => statusBadge(x, row.status) },
    ],
    rows: records,
    rowKey: (row) => row.id,
  });
}

function entities(x, { area, list }) {
  const all = { region: area.region };
  return html`<section aria-labelledby="entities">
    <h2 id="entities">${x.t("region.entities")}</h2>
    ${kinds(x, area)}
    <p class="hint">${x.t("region.in_network_note")}</p>
    ${list.total
      ? html`${entityTable(x, list)}
          <p>
            ${list.total > list.records.length ? x.t("region.list_first", { shown: list.records.length, n: list.total }) : nothing}
            <a href=${inList(x, all)}>${x.t("region.list_all", { n: list.total })}</a>
          </p>`
      : empty(x, x.t("region.no_entities"))}
  </section>`;
}

// How many entities each of these operators runs, wherever they are; undefined: not all were counted.
async function countUnits(x, { records }) {
  if (!records.length) return () => 0;
  const filters = [{ name: "operator_id", values: records.map(({ id }) => id) }];
  const { total, records: units } = await x.api.follow(apiAddress("entities", filters, { limit: UNITS }, x.asOf), x.signal);
  return (id) => (total > units.length ? undefined : units.filter((one) => one.operator_id === id).length);
}

function operators(x, { area, operators: list, units }) {
  const label = (name) => heading(x, "operator", name);
  const unitsCell = ({ id }) => {
    const n = units(id);
    return n === undefined ? unknown(x) : count(x, n, { operator_id: id });
  };
  return html`<section aria-labelledby="operators">
    <h2 id="operators">${x.t("region.operators")}</h2>
    ${list.total
      ? html`${table(x, {
            caption: x.t("region.operators_caption"),
            columns: [
              { key: "name", label: label("name"), header: true, class: "wide", cell: (row) => recordLink(x, { kind: "operator", id: row.id, title: row.name }) },
              { key: "form", label: label("form"), cell: (row) => (row.form ? x.label("form", row.form) : unknown(x)) },
              { key: "units", label: x.t("region.operator_units"), number: true, cell: unitsCell },
            ],
            rows: list.records,
            rowKey: (row) => row.id,
          })}
          ${list.total > list.records.length
            ? html`<p><a href=${inList(x, { list: "operators", region: area.region })}>${x.t("region.operators_all", { n: list.total })}</a></p>`
            : nothing}`
      : html`<p class="muted">${x.t("region.operator_none")}</p>`}
  </section>`;
}

// ---- networks ----

function networks(x, { area, networks: list, recorded }) {
  const label = (name) => heading(x, "network", name);
  return html`<section aria-labelledby="networks">
    <h2 id="networks">${x.t("region.networks")}</h2>
    ${list.total
      ? table(x, {
          caption: x.t(area.region === "PL" ? "region.networks_caption_pl" : "region.networks_caption"),
          columns: [
            { key: "name", label: label("name_pl"), header: true, class: "wide", cell: (row) => networkName(x, row) },
            { key: "form", label: label("form"), cell: (row) => x.label("form", row.form) },
            { key: "status", label: label("status"), cell: (row) => statusBadge(x, row.status) },
            { key: "coordination", label: x.t("region.coordination"), cell: (row) => coordination(x, row.coordinator_state) },
            { key: "stated", label: x.t("region.members_stated"), cell: (row) => statedMembers(x, row) },
            { key: "recorded", label: x.t("region.members_recorded"), number: true, cell: (row) => recorded.cell(x, row.id) },
          ],
          rows: list.records,
          rowKey: (row) => row.id,
        })
      : html`<p class="muted">${x.t("region.networks_none")}</p>`}
  </section>`;
}

// ---- claims ----

// A part of those that the same reporter counted on the same day says of how many.
function claimOfBase(x, one) {
  const share = () => x.share(Number(one.value), one.base);
  return html`${claimFigure(x, one)}${one.base ? html`<span class="second">${x.t("region.claim_base", { n: one.base, share: share() })}</span>` : nothing}`;
}

function claimColumns(x) {
  return [
    { key: "value", label: x.t("region.value"), number: true, class: "strong", cell: (one) => claimOfBase(x, one) },
    { key: "who", label: x.t("region.who"), cell: (one) => recordLink(x, { kind: "statistic", id: one.id, title: one.reported_by }) },
    { key: "when", label: x.t("region.when"), cell: (one) => day(x, one.as_of) },
    { key: "source", label: x.t("region.source"), cell: (one) => (one.source ? html`<code>${one.source}</code>` : unknown(x)) },
  ];
}

function disagreement(x, area, claim) {
  const what = statisticWhat(x, claim);
  const recorded = claim.measure === "active_count" && claim.kind ? area.entities[claim.kind] : null;
  return html`<div class="dispute">
    <h4>${what} ${badge("warn", x.t("region.disagree"))}</h4>
    <ul class="dispute-sides">
      ${claim.claims.map(
        (one) => html`<li>
          <strong class="dispute-value">${claimFigure(x, one)}</strong>
          <span>${recordLink(x, { kind: "statistic", id: one.id, title: one.reported_by })}</span>
          <span>${one.as_of ? x.t("common.as_of_date", { date: x.date(one.as_of) }) : unknown(x)}</span>
          <span class="muted">${one.source ? html`<code>${one.source}</code>` : unknown(x)}</span>
        </li>`,
      )}
    </ul>
    ${recorded ? html`<p class="hint">${x.t("region.claim_recorded", { n: recorded })}</p>` : nothing}
  </div>`;
}

function claims(x, area) {
  const apart = area.claims.filter((one) => one.disagree);
  const rest = area.claims.filter((one) => !one.disagree);
  const all = area.claims.flatMap((claim) => claim.claims.map((one) => ({ ...one, unit: claim.unit })));
  const rows = rest.flatMap((claim) => claim.claims.map((one) => ({ ...one, unit: claim.unit, base: baseOf(all, { ...one, unit: claim.unit }) })));
  return html`<section aria-labelledby="claims">
    <h2 id="claims">${x.t("region.claims")}</h2>
    ${area.claims.length ? html`<p class="hint">${x.t("region.claims_lead")}</p>` : html`<p class="muted">${x.t("region.claims_none")}</p>`}
    ${apart.length
      ? html`<h3>${x.t("region.claims_side")}</h3>
          ${apart.map((one) => disagreement(x, area, one))}`
      : nothing}
    ${rows.length
      ? html`<h3>${x.t(apart.length ? "region.claims_other" : "region.claims_agree")}</h3>
          ${table(x, {
            caption: x.t("region.claims_caption"),
            columns: [{ key: "what", label: x.t("region.measure"), header: true, cell: (one) => statisticWhat(x, one) }, ...claimColumns(x)],
            rows,
            rowKey: (row) => row.id,
          })}`
      : nothing}
  </section>`;
}

// ---- freshness, replication, changes ----

function quality(x, { freshness: fresh, completeness: full }) {
  const share = (key, known, of) => (of ? x.t(key, { known, of, share: x.share(known, of) }) : x.t("common.none_recorded"));
  const confirmed = (value) => (fresh.known ? value : html`<span class="unknown">${x.t("region.none_confirmed")}</span>`);
  return html`<section class="panel" aria-labelledby="quality">
    <h2 id="quality">${x.t("region.quality")}</h2>
    ${facts(x, [
      [x.t("region.verified"), share("region.verified_value", fresh.known, fresh.of)],
      [x.t("region.never"), fresh.of ? x.number(fresh.never) : x.t("common.none_recorded")],
      [x.t("region.oldest"), confirmed(day(x, fresh.oldest))],
      [x.t("region.median"), confirmed(day(x, fresh.median))],
      [x.t("region.over_12"), confirmed(x.number(fresh.over_12_months))],
      [x.t("region.completeness"), share("region.completeness_value", full.known, full.of)],
    ], "rows")}
    <p class="hint">${x.t("region.completeness_note")} <a href=${x.link("/quality")}>${x.t("region.quality_link")}</a></p>
  </section>`;
}

// A root is 44 characters; its beginning tells two apart, the whole is there to be compared.
function checkpoint(x, { checkpoint: point }) {
  if (!point) return html`<span class="muted">${x.t("region.checkpoint_none")}</span>`;
  return html`${x.t("region.checkpoint_size", { n: point.size })}
    <details class="root">
      <summary>${x.t("region.checkpoint_root")} <code>${point.root.slice(0, 8)}…</code></summary>
      <code>${point.root}</code>
    </details>`;
}

// The exported files of a log of the first generation are under its region's code alone.
function logFiles(x, log) {
  if (!x.site?.export) return nothing;
  const base = `/api/v1/logs/${encodeURIComponent(log.log)}`;
  return html`<ul class="plain">
    <li><a href="${base}/checkpoint">${x.t("region.checkpoint_file")}</a></li>
    <li><a href="${base}/log.vkey">${x.t("region.key_file")}</a></li>
  </ul>`;
}

function replicationUnknown(x) {
  if (x.asOf) return x.t("region.replication_past");
  return x.t(x.site.role === "node" ? "region.replication_node" : "region.replication_none");
}

function replication(x, { log }) {
  // the newest that the stream said, if the past is not asked for
  const now = (!x.asOf && log && x.live.status?.logs?.find((one) => one.log === log.log)) || log;
  const rows = now && [
    [x.t("region.state"), logBadge(x, now)],
    [x.t("region.size"), x.number(now.size)],
    [x.t("region.claimed"), x.number(now.claimed)],
    [x.t("region.lag"), now.lag === null ? null : now.lag ? x.t("region.lag_value", { n: now.lag }) : x.t("region.lag_none")],
    [x.t("region.last_contact"), ago(x, now.last_contact)],
    [x.t("region.last_commit"), moment(x, now.last_commit, { seconds: true })],
    [x.t("region.checkpoint"), checkpoint(x, now)],
  ];
  if (now?.note) rows.push([x.t("region.log_note"), html`<span lang="en">${now.note}</span>`]);
  return html`<section class="panel" aria-labelledby="replication">
    <h2 id="replication">${x.t("region.replication")}</h2>
    ${x.site.role === "node" ? nothing : html`<p class="hint">${x.t("region.replication_lead")}</p>`}
    ${now ? html`${facts(x, rows, "rows")} ${logFiles(x, now)}` : html`<p class="muted">${replicationUnknown(x)}</p>`}
    <p class="hint"><a href=${x.link("/trust")}>${x.t("region.trust_link")}</a></p>
  </section>`;
}

function quarter(x, area) {
  const { quarter: now } = area;
  const happened = MOVEMENTS.filter((name) => now[name]);
  return html`<section class="panel" aria-labelledby="quarter">
    <h2 id="quarter">${x.t("region.quarter")}</h2>
    ${happened.length
      ? html`<ul class="movements">
          ${happened.map((name) => html`<li>${x.t(`region.quarter_${name}`)}: <strong>${x.number(now[name])}</strong></li>`)}
        </ul>`
      : html`<p class="muted">${x.t("region.quarter_none")}</p>`}
    <p class="hint">
      ${x.t("region.quarter_since", { date: x.date(now.from) })}
      <a href=${x.link("/changes", { region: area.region, from: now.from })}>${x.t("region.quarter_link")}</a>
    </p>
  </section>`;
}

// Changes of one act, for an import may touch a thousand records at once.
function actsOf({ changes, next }) {
  const acts = [];
  for (const change of changes) {
    const last = acts[acts.length - 1];
    if (last && last.log === change.log && last.index === change.index) last.changes.push(change);
    else acts.push({ ...change, changes: [change], more: false });
  }
  if (next && acts.length) acts[acts.length - 1].more = true; // it may go on
  return acts.slice(0, ACTS);
}

function changeText(x, change) {
  if (change.retired) return x.t("region.change_retired");
  if (change.created) return x.t("region.change_created");
  const labels = change.diff.map(({ field }) => x.columns.label(change.kind, field, x.lang));
  const named = labels.slice(0, FIELDS_NAMED).join(", ");
  return x.t("region.change_fields", { fields: labels.length > FIELDS_NAMED ? `${named}…` : named });
}

function actLine(x, act) {
  const shown = act.changes.slice(0, act.changes.length > RECORDS_NAMED + 1 ? RECORDS_NAMED : undefined);
  const rest = act.changes.length - shown.length;
  const day = warsawDay(new Date(act.recorded));
  return html`<li>
    <p class="act-when">${moment(x, act.recorded)}${act.reason ? html` – ${act.reason}` : nothing}</p>
    <ul class="plain">
      ${shown.map((change) => html`<li>${recordLink(x, { ...change, title: changeTitle(x, change) })}<span class="second">${x.label("any", change.kind)} · ${changeText(x, change)}</span></li>`)}
      ${rest
        ? html`<li><a href=${x.link("/changes", { log: act.log, from: day, to: day })}>
            ${act.more ? x.t("region.change_many") : x.t("region.change_rest", { n: rest })}
          </a></li>`
        : nothing}
    </ul>
  </li>`;
}

function lastChanges(x, { area, changes }) {
  const acts = actsOf(changes);
  return html`<section class="panel" aria-labelledby="changes">
    <h2 id="changes">${x.t("region.changes")}</h2>
    ${acts.length
      ? html`<ol class="acts">${acts.map((one) => actLine(x, one))}</ol>`
      : html`<p class="muted">${x.t("region.changes_none")}</p>`}
    <p class="hint"><a href=${x.link("/changes", { region: area.region })}>${x.t("region.changes_all")}</a></p>
  </section>`;
}

// ---- the whole ----

function office(x, area) {
  if (area.region === "PL") return html`<p class="lede">${x.t("region.lead_pl")}</p>`;
  const code = [x.t("region.teryt"), area.region].join(" ");
  const parts = [area.rops_name, area.seat && `${x.t("region.seat")}: ${area.seat}`, code, area.iso && `${x.t("region.code")} ${area.iso}`];
  return html`<ul class="facts-line">${parts.filter(Boolean).map((part) => html`<li>${part}</li>`)}</ul>`;
}

function nameOf(x, data) {
  const code = data?.area.region ?? x.params.region;
  if (code === "PL") return x.t("region.title_pl");
  return x.t("region.title", { name: x.label("region", code) });
}

export default {
  path: "/region/:region",
  title: nameOf,
  live: true,
  async load(x) {
    const { region } = x.params;
    const ask = (path, params) => x.api.get(path, params, x.signal);
    const [area, list, bodies, nets, recorded, changes] = await Promise.all([
      ask(`regions/${encodeURIComponent(region)}`),
      ask("entities", { region, sort: "name", limit: ENTITIES }),
      ask("operators", { region, sort: "name", limit: OPERATORS }),
      ask("networks", { region, sort: "name_pl", limit: 200 }),
      memberCounts(x, [region]),
      ask("changes", { region, limit: CHANGES }),
    ]);
    await nameMembers(x, changes.changes);
    return { area, list, operators: bodies, units: await countUnits(x, bodies), networks: nets, recorded, changes };
  },
  concerns: (event, x) => event === null || event.more > 0 || event.changes.some(({ region }) => region === x.params.region),
  render(x, data) {
    const { area } = data;
    const own = x.site?.role === "node" ? x.site.region : null;
    if (own && own !== area.region)
      return html`${office(x, area)} ${empty(x, x.t("region.elsewhere", { region: x.label("region", own) }))}`;
    return html`<div class="region">
      ${office(x, area)}
      <div class="region-body">
        <div class="region-main">
          ${area.region === "PL" && !area.entities.all ? nothing : entities(x, data)} ${networks(x, data)}
          ${area.region === "PL" && !data.operators.total ? nothing : operators(x, data)} ${claims(x, area)}
        </div>
        <div class="region-side">${lastChanges(x, data)} ${quarter(x, area)} ${quality(x, area)} ${replication(x, area)}</div>
      </div>
    </div>`;
  },
};
