// What a network's page has beside its fields: its members, how many of the region's entities they
// are, and the networks above and below it.
import { html, nothing } from "lit-html";
import { badge, unknown } from "../ui/badge.js";
import { fieldText } from "../ui/fields.js";
import { lookUp } from "../ui/lookup.js";
import { recordLink } from "../ui/records.js";
import { table } from "../ui/table.js";

const MEMBERS_MAX = 1000;
const KINDS = ["CIS", "KIS", "WTZ", "ZAZ"];

export async function loadNetwork(x, { id, record }) {
  const region = record.region !== "PL" ? x.api.get(`regions/${record.region}`, {}, x.signal) : null;
  const [answer, below, area] = await Promise.all([
    x.api.get("memberships", { network_id: id, limit: MEMBERS_MAX }, x.signal),
    x.api.get("networks", { parent_id: id, sort: "name_pl", limit: 200 }, x.signal),
    region,
  ]);
  const [entities, operators] = await Promise.all([
    lookUp(x, "entities", answer.records.map((row) => row.entity_id)),
    lookUp(x, "operators", answer.records.map((row) => row.operator_id)),
  ]);
  return { memberships: answer.records, total: answer.total, below: below.records, area, entities, operators };
}

const past = (membership) => membership.until !== null && membership.until < new Date().toISOString().slice(0, membership.until.length);

// ---- the share covered ----

function covered(x, data, more) {
  const { record } = data;
  if (!more.area) return html`<p>${x.t("network.whole_country")}</p>`;
  const inside = (kind) => {
    const ids = more.memberships.filter((row) => !past(row)).map((row) => more.entities.get(row.entity_id));
    return new Set(ids.filter((one) => one?.kind === kind && one.region === record.region)).size;
  };
  const stated = { CIS: record.stated_members_cis, KIS: record.stated_members_kis };
  const share = (kind) => {
    const base = more.area.entities[kind];
    const part = inside(kind);
    if (!base) return html`<span class="unknown">${x.t("network.covered_none")}</span>`;
    if (!more.memberships.length) return html`<span class="unknown">${x.t("network.covered_unknown")}</span>`;
    return x.t("network.covered_value", { part, base, share: x.share(part, base) });
  };
  return html`${table(x, {
      caption: x.t("network.covered_caption"),
      columns: [
        { key: "kind", label: x.t("network.kind"), header: true, cell: (kind) => html`<abbr title=${x.label("kind_long", kind)}>${kind}</abbr>` },
        { key: "covers", label: x.t("network.covers"), cell: (kind) => fieldText(x, "network", `covers_${kind.toLowerCase()}`, record[`covers_${kind.toLowerCase()}`]) },
        { key: "stated", label: x.t("network.stated"), number: true, cell: (kind) => (kind in stated ? fieldText(x, "network", `stated_members_${kind.toLowerCase()}`, stated[kind]) : html`<span class="muted">${x.t("network.not_stated")}</span>`) },
        { key: "share", label: x.t("network.of_region"), number: true, cell: share },
      ],
      rows: KINDS,
    })}
    <p class="hint">${x.t("network.covered_note")}</p>`;
}

// ---- members ----

function memberTable(x, caption, rows, member) {
  const field = (name) => (row) => fieldText(x, "membership", name, row[name]);
  const ended = (row) => (past(row) ? html` ${badge("note", x.t("network.former"))}` : nothing);
  return table(x, {
    caption,
    columns: [
      { key: "member", label: x.t("network.member"), header: true, class: "wide", cell: (row) => html`${member(row).name}${ended(row)}` },
      { key: "region", label: x.t("network.region"), cell: (row) => member(row).region },
      { key: "role", label: x.t("network.role"), cell: field("role") },
      { key: "certainty", label: x.t("network.certainty"), cell: field("certainty") },
      { key: "since", label: x.t("network.since"), cell: field("since") },
      { key: "until", label: x.t("network.until"), cell: field("until") },
      { key: "record", label: x.t("entity.record"), cell: (row) => recordLink(x, { kind: "membership", id: row.id, title: x.t("entity.membership_record") }) },
    ],
    rows,
    rowKey: (row) => row.id,
  });
}

function members(x, more) {
  const { memberships, entities, operators } = more;
  if (!memberships.length) return html`<p class="muted">${x.t("network.members_none")}</p>`;
  const region = (record) => fieldText(x, "entity", "region", record?.region);
  const entity = (row) => {
    const one = entities.get(row.entity_id);
    return { name: recordLink(x, { kind: "entity", id: row.entity_id, title: one?.name }), region: region(one) };
  };
  const operator = (row) => {
    const one = operators.get(row.operator_id);
    return { name: recordLink(x, { kind: "operator", id: row.operator_id, title: one?.name }), region: region(one) };
  };
  const lost = (row) => ({ name: html`<code>${row.entity_id ?? row.operator_id ?? "?"}</code>`, region: unknown(x) });
  const byName = (map, key) => (a, b) => x.collator.compare(map.get(a[key])?.name ?? "", map.get(b[key])?.name ?? "");
  const kinds = KINDS.map((kind) => [kind, memberships.filter((row) => entities.get(row.entity_id)?.kind === kind).sort(byName(entities, "entity_id"))]);
  const ofOperators = memberships.filter((row) => operators.has(row.operator_id)).sort(byName(operators, "operator_id"));
  const unresolved = memberships.filter((row) => !entities.has(row.entity_id) && !operators.has(row.operator_id));
  return html`${kinds.map(([kind, rows]) =>
      rows.length ? memberTable(x, x.t("network.members_caption", { kind, n: rows.length }), rows, entity) : nothing,
    )}
    ${ofOperators.length ? memberTable(x, x.t("network.operators"), ofOperators, operator) : nothing}
    ${unresolved.length ? memberTable(x, x.t("network.unresolved"), unresolved, lost) : nothing}
    ${more.total > memberships.length ? html`<p class="hint">${x.t("entity.referred_more", { n: memberships.length })}</p>` : nothing}`;
}

// ---- above and below ----

function family(x, data, more) {
  const parent = data.refers.find(({ field }) => field === "parent_id");
  const refs = parent ? { parent_id: parent } : {};
  return html`<dl class="fields">
    <div>
      <dt>${x.t("network.parent")}</dt>
      <dd>${parent ? fieldText(x, "network", "parent_id", parent.id, refs) : html`<span class="unknown">${x.t("network.no_parent")}</span>`}</dd>
    </div>
    <div>
      <dt>${x.t("network.children")}</dt>
      ${more.below.length
        ? more.below.map((one) => html`<dd>${recordLink(x, { kind: "network", id: one.id, title: one.name_pl })}</dd>`)
        : html`<dd class="unknown">${x.t("network.no_children")}</dd>`}
    </div>
  </dl>`;
}

export function networkSections(x, { data, more }) {
  return html`<section aria-labelledby="members">
      <h2 id="members">${x.t("network.members")}</h2>
      ${members(x, more)}
    </section>
    <section aria-labelledby="covered">
      <h2 id="covered">${x.t("network.covered")}</h2>
      ${covered(x, data, more)}
    </section>
    <section aria-labelledby="family">
      <h2 id="family">${x.t("network.family")}</h2>
      ${family(x, data, more)}
    </section>`;
}
