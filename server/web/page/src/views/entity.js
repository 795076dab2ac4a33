// One record, of any kind: all its fields, what it has to do with others, who said so, and its history.
import { html, nothing } from "lit-html";
import { badge, statusBadge, unknown } from "../ui/badge.js";
import { facts, fieldList, fieldText, heading } from "../ui/fields.js";
import { icon } from "../ui/icons.js";
import { lookUp } from "../ui/lookup.js";
import { recordLink, recordPath } from "../ui/records.js";
import { table } from "../ui/table.js";
import { day, moment } from "../ui/time.js";
import { recordTitle } from "../ui/titles.js";
import { timeline, versionKey } from "../ui/timeline.js";
import { kindName } from "./entities.js";
import { loadNetwork, networkSections } from "./network.js";

const VERSIONS = 20; // of the history at a time

// Fields by what they are about, in the order of the page; those in no group come under "other".
const GROUPS = {
  entity: [
    ["identity", ["kind", "name", "name_basis", "region", "id"]],
    ["operator", ["operator_id", "operator_name", "operator_form", "operator_sector"]],
    ["status", ["status", "status_as_of", "valid_from", "valid_to", "verified_on"]],
    ["dates", ["created_on", "started_on", "registered_on"]],
    ["place", ["place", "street", "building", "flat", "postcode", "post_office", "gmina_name", "gmina", "powiat"]],
    ["register", ["register_no", "register_state", "register_checked_on"]],
    ["participants", ["participants_per_year_min", "participants_per_year_max", "participants_total", "participants_total_as_of"]],
    ["other", ["ksr_pilot", "other_facts"]],
    ["source", ["source", "source_note"]],
  ],
  operator: [
    ["identity", ["name", "region", "id"]],
    ["form", ["form", "sector", "form_basis"]],
    ["numbers", ["krs", "nip", "regon"]],
    ["source", ["source", "note"]],
  ],
  network: [
    ["identity", ["name_pl", "name_basis", "region", "id"]],
    ["body", ["form", "formal", "status", "status_note", "founded_on", "initiator", "organiser", "rops_role", "governance", "coordinator_state"]],
    ["covers", ["scope", "covers_cis", "covers_kis", "covers_wtz", "covers_zaz", "parent_id"]],
    ["members", ["stated_members_total", "stated_members_cis", "stated_members_kis", "members_qualifier", "stated_persons"]],
    ["source", ["as_of", "verified_on", "source", "note"]],
  ],
  membership: [
    ["membership", ["network_id", "entity_id", "operator_id", "role", "certainty", "since", "until", "id"]],
    ["source", ["as_of", "source", "note"]],
  ],
  statistic: [
    ["figure", ["measure", "kind", "region", "value", "value_max", "qualifier", "unit", "as_of", "reported_by", "id"]],
    ["source", ["source", "note"]],
  ],
};

function groupsOf(x, kind) {
  const groups = (GROUPS[kind] ?? []).map(([name, fields]) => [name, [...fields]]);
  const placed = new Set(groups.flatMap(([, fields]) => fields));
  const left = x.columns.get(kind).map(({ name }) => name).filter((name) => !placed.has(name));
  if (!left.length) return groups;
  const other = groups.find(([name]) => name === "other");
  if (other) other[1].push(...left);
  else groups.push(["other", left]);
  return groups;
}

// ---- what is said above the fields ----

function warnings(x, data) {
  if (!data.warnings.length) return nothing;
  return html`<section class="warnings" aria-labelledby="warnings">
    <h2 id="warnings">${icon("warn")} ${x.t("entity.warnings")}</h2>
    <ul>${data.warnings.map((one) => html`<li>${x.lang === "pl" ? one.text_pl : one.text_en}</li>`)}</ul>
  </section>`;
}

function retired(x, data) {
  return html`<section class="retired" aria-labelledby="retired">
    <h2 id="retired">${badge("bad", x.t("entity.retired"))}</h2>
    <p>${x.t(data.record ? "entity.retired_text" : "entity.retired_empty")}</p>
  </section>`;
}

// The three or four things that people come for.
function glance(x, { kind, record }) {
  const region = record.region && html`<a href=${x.link(`/region/${record.region}`)}>${x.label("region", record.region)}</a>`;
  const line = {
    entity: () => [html`${kindName(x, record.kind)} – ${x.label("kind_long", record.kind)}`, statusBadge(x, record.status), record.place, region],
    operator: () => [x.label("any", "operator"), record.form && x.label("form", record.form), region],
    network: () => [x.label("form", record.form), statusBadge(x, record.status), region],
  }[kind]?.() ?? [x.label("any", kind), region];
  return html`<ul class="facts-line">${line.filter(Boolean).map((part) => html`<li>${part}</li>`)}</ul>`;
}

// ---- fields ----

function group(x, data, refs, [name, fields]) {
  return html`<section class="panel group group-${name}" aria-labelledby="group-${name}">
    <h3 id="group-${name}">${x.t(`entity.group_${name}`)}</h3>
    ${fieldList(x, data.kind, data.record, fields, refs)}
    ${name === "dates" ? html`<p class="hint">${x.t("entity.group_dates_note")}</p>` : nothing}
  </section>`;
}

function provenance(x, data) {
  const { version } = data;
  const rows = [
    [x.t("entity.last_edit"), moment(x, version?.recorded, { seconds: true })],
    [x.t("entity.editor"), data.editor],
    [x.t("entity.reason"), data.reason],
    [x.t("entity.basis"), data.source ?? html`<span class="unknown">${x.t("entity.basis_none")}</span>`],
  ];
  if (data.record && "verified_on" in data.record) rows.push([x.t("entity.confirmed"), day(x, data.record.verified_on)]);
  if (version) rows.push([x.t("entity.log_entry"), x.t("entity.log_entry_value", { index: version.index, log: version.log })]);
  return html`<section class="panel group" aria-labelledby="provenance">
    <h3 id="provenance">${x.t("entity.provenance")}</h3>
    ${facts(x, rows)}
    <p class="hint"><a href=${`/api/v1/records/${encodeURIComponent(data.id)}`}>${x.t("entity.json")}</a></p>
  </section>`;
}

function fieldSections(x, data) {
  const refs = Object.fromEntries((data.refers ?? []).map((ref) => [ref.field, ref]));
  return html`<section aria-labelledby="fields">
    <h2 id="fields">${x.t(data.retired ? "entity.fields_before" : "entity.fields")}</h2>
    <div class="groups">${groupsOf(x, data.kind).map((one) => group(x, data, refs, one))} ${provenance(x, data)}</div>
  </section>`;
}

// ---- relations ----

function membershipTable(x, rows, networks, caption) {
  const field = (name) => (row) => fieldText(x, "membership", name, row[name]);
  const label = (name) => heading(x, "membership", name);
  return table(x, {
    caption,
    columns: [
      {
        key: "network",
        label: x.t("entity.network"),
        header: true,
        class: "wide",
        cell: (row) => recordLink(x, { kind: "network", id: row.network_id, title: networks.get(row.network_id)?.name_pl }),
      },
      ...["role", "certainty", "since", "until"].map((name) => ({ key: name, label: label(name), cell: field(name) })),
      { key: "record", label: x.t("entity.record"), cell: (row) => recordLink(x, { kind: "membership", id: row.id, title: x.t("entity.membership_record") }) },
    ],
    rows,
    rowKey: (row) => row.id,
  });
}

function memberships(x, { data, more }) {
  const own = data.referred.filter(({ kind }) => kind === "membership").map(({ record }) => record);
  const { through, networks } = more;
  return html`<section aria-labelledby="memberships">
    <h2 id="memberships">${x.t("entity.memberships")}</h2>
    ${own.length ? membershipTable(x, own, networks, x.t("entity.memberships_caption")) : html`<p class="muted">${x.t("entity.memberships_none")}</p>`}
    ${through.length ? membershipTable(x, through, networks, x.t("entity.memberships_through")) : nothing}
  </section>`;
}

function units(x, { data }) {
  const rows = data.referred.filter(({ kind }) => kind === "entity").map(({ record }) => record);
  return html`<section aria-labelledby="units">
    <h2 id="units">${x.t("entity.units")}</h2>
    ${rows.length
      ? table(x, {
          caption: x.t("entity.units_caption"),
          columns: [
            { key: "name", label: heading(x, "entity", "name"), header: true, class: "wide", cell: (row) => recordLink(x, { kind: "entity", id: row.id, title: row.name }) },
            { key: "kind", label: heading(x, "entity", "kind"), cell: (row) => kindName(x, row.kind) },
            { key: "place", label: heading(x, "entity", "place"), cell: (row) => row.place ?? unknown(x) },
            { key: "region", label: heading(x, "entity", "region"), cell: (row) => fieldText(x, "entity", "region", row.region) },
            { key: "status", label: heading(x, "entity", "status"), cell: (row) => statusBadge(x, row.status) },
          ],
          rows,
          rowKey: (row) => row.id,
        })
      : html`<p class="muted">${x.t("entity.units_none")}</p>`}
  </section>`;
}

// Whatever else names this record.
function others(x, { data }) {
  const shown = { entity: ["membership"], operator: ["membership", "entity"], network: ["membership", "network"] }[data.kind] ?? [];
  const rows = data.referred.filter(({ kind }) => !shown.includes(kind));
  const more = data.referred_more ? html`<p class="hint">${x.t("entity.referred_more", { n: data.referred.length })}</p>` : nothing;
  if (!rows.length) return more;
  return html`<section aria-labelledby="others">
    <h2 id="others">${x.t("entity.other_links")}</h2>
    ${table(x, {
      caption: x.t("entity.other_links_caption"),
      columns: [
        { key: "title", label: x.t("entity.record"), header: true, class: "wide", cell: (row) => recordLink(x, row) },
        { key: "kind", label: x.t("entity.record_kind"), cell: (row) => x.label("any", row.kind) },
        { key: "field", label: x.t("entity.by_field"), cell: (row) => x.columns.label(row.kind, row.field, x.lang) },
      ],
      rows,
      rowKey: (row) => `${row.id} ${row.field}`,
    })}
    ${more}
  </section>`;
}

// ---- history ----

// The newest versions come with each loading; older ones that were asked for are kept.
function versionsOf(x, history) {
  const { older } = x.state;
  if (!older || older.id !== history.id || older.asOf !== x.asOf) return { versions: history.versions, next: history.next };
  const known = new Set(history.versions.map(versionKey));
  return { versions: [...history.versions, ...older.versions.filter((one) => !known.has(versionKey(one)))], next: older.next };
}

// next: the address of what is older, as the answer before gave it
async function loadOlder(x, history) {
  const { state } = x;
  if (state.asking) return;
  const { versions, next } = versionsOf(x, history);
  Object.assign(state, { asking: true, failed: null });
  x.redraw();
  try {
    const answer = await x.api.follow(next);
    state.older = { id: history.id, asOf: x.asOf, versions: [...versions, ...answer.versions], next: answer.next };
    x.say(x.t("entity.history_added", { n: answer.versions.length }));
  } catch (error) {
    state.failed = error.detail ?? error.message;
  }
  state.asking = false;
  x.redraw();
}

function history(x, { data, history: first }) {
  const { versions, next } = versionsOf(x, first);
  const { asking, failed } = x.state;
  return html`<section aria-labelledby="history">
    <h2 id="history">${x.t("entity.history")}</h2>
    <p class="hint">${x.t("entity.history_lead")}</p>
    ${timeline(x, { kind: data.kind, path: x.path, versions })}
    ${failed ? html`<p role="alert">${x.t("entity.history_failed", { detail: failed })}</p>` : nothing}
    ${next
      ? html`<button type="button" ?disabled=${asking} @click=${() => loadOlder(x, first)}>
          ${x.t(asking ? "entity.history_loading" : "entity.history_older")}
        </button>`
      : html`<p class="muted">${x.t("entity.history_end")}</p>`}
  </section>`;
}

// ---- loading ----

async function loadMemberships(x, data) {
  const own = data.referred.filter(({ kind }) => kind === "membership").map(({ record }) => record);
  const operator = data.kind === "entity" ? data.record?.operator_id : null;
  const through = operator ? (await x.api.get("memberships", { operator_id: operator, limit: 200 }, x.signal)).records : [];
  const networks = await lookUp(x, "networks", [...own, ...through].map((row) => row.network_id));
  return { through, networks };
}

// A retired record is shown as it was right before: the register as of the entry that ended it.
async function beforeRetired(x, path, now) {
  if (now.record || !now.version) return now;
  const last = await x.api.get(path, { as_of: String(now.version.position) }, x.signal);
  return { ...now, record: last.record, refers: last.refers };
}

const EXTRA = { entity: loadMemberships, operator: loadMemberships, network: loadNetwork };

// A network's members come before its fields; of the others people want the fields first.
const BEFORE = { network: networkSections };
const AFTER = {
  entity: memberships,
  operator: (x, all) => html`${units(x, all)} ${memberships(x, all)}`,
};

export default {
  path: ["/entity/:id", "/record/:id", "/network/:id"],
  title(x, all) {
    if (!all) return x.params.id;
    const titleOf = (field) => all.data.refers.find((ref) => ref.field === field)?.title ?? null;
    return recordTitle(x, all.data, titleOf);
  },
  async load(x) {
    const path = `records/${encodeURIComponent(x.params.id)}`;
    const [now, first] = await Promise.all([
      x.api.get(path, {}, x.signal),
      x.api.get(`${path}/history`, { limit: VERSIONS }, x.signal),
    ]);
    const data = now.retired ? await beforeRetired(x, path, now) : now;
    x.state.linked = new Set([data.id, ...data.refers.map(({ id }) => id), ...data.referred.map(({ id }) => id)]);
    return { data, history: first, more: data.record ? await EXTRA[data.kind]?.(x, data) : null };
  },
  // What it names, and what names it, may have changed as well.
  concerns: (event, x) =>
    event === null || event.more > 0 || event.changes.some(({ id, kind }) => kind === "membership" || !x.state.linked || x.state.linked.has(id)),
  render(x, all) {
    const { data } = all;
    const { record, kind } = data;
    return html`<div class="record">
      ${data.retired ? retired(x, data) : record ? glance(x, data) : nothing} ${warnings(x, data)}
      ${record ? (BEFORE[kind]?.(x, all) ?? nothing) : nothing} ${record ? fieldSections(x, data) : provenance(x, data)}
      ${record ? (AFTER[kind]?.(x, all) ?? nothing) : nothing} ${others(x, all)} ${history(x, all)}
    </div>`;
  },
};
