// The live feed: every change, newest first.  What arrives while it is paused, or while one reads further
// down, waits behind a button, so that nothing moves by itself.
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { badge, unknown } from "../ui/badge.js";
import { diff } from "../ui/diff.js";
import { fieldList, fieldText } from "../ui/fields.js";
import { nameMembers } from "../ui/members.js";
import { recordLink } from "../ui/records.js";
import { empty } from "../ui/states.js";
import { moment } from "../ui/time.js";
import { changeTitle } from "../ui/titles.js";

const PAGE = 50; // changes asked for at a time
const NEW_MAX = 100; // of those that arrived; if there are more, the list begins anew
const PACE_MS = 700; // between two questions for new ones, however many come
const SEARCHES_MAX = 8; // answers without a match before the reader is asked whether to go on
const FIELDS_SHOWN = 6; // of one change, before the rest is folded away
const FIELDS_SHOWN_NEW = 4; // of a new record
const IN_TITLE = ["id", "name", "name_pl", "region"]; // stand above already
const RECORDS_SHOWN = 5; // of an event, before the rest is folded away
const SHOWN_MAX = 1000;
const FILTERS = ["region", "kind", "entity_kind", "id", "log", "editor", "field", "from", "to"];
const KINDS = ["entity", "operator", "network", "membership", "statistic"];
const ENTITY_KINDS = ["CIS", "KIS", "WTZ", "ZAZ"];
const REGIONS = ["02", "04", "06", "08", "10", "12", "14", "16", "18", "20", "22", "24", "26", "28", "30", "32", "PL"];

const filters = (x) => Object.fromEntries(FILTERS.map((name) => [name, x.query.get(name) ?? ""]));

// ---- what is shown, and what waits ----

// Goes on through answers that had no match, a bounded number of them.
async function search(x, before) {
  let answer = null;
  for (let i = 0; i < SEARCHES_MAX; i++) {
    answer = await x.api.get("changes", { ...filters(x), before, limit: PAGE }, x.signal);
    if (answer.changes.length || !answer.next) break;
    before = cursorOf(answer.next);
  }
  await nameMembers(x, answer.changes);
  return { changes: answer.changes, next: cursorOf(answer.next) };
}

// `next` is a cursor, or the address of the next page.
function cursorOf(next) {
  if (!next) return null;
  return next.includes("?") ? new URLSearchParams(next.slice(next.indexOf("?"))).get("before") : next;
}

const keyOf = (x) => JSON.stringify([filters(x), x.asOf]);

async function begin(x, state) {
  const { changes, next } = await search(x, null);
  Object.assign(state, { key: keyOf(x), items: changes, next, waiting: [], overflow: false, failed: null, fresh: new Set() });
}

// Is somebody reading?  Then the list stays as it is.
function reading(state) {
  const list = document.querySelector(".feed");
  if (!list) return state.paused;
  return state.paused || list.getBoundingClientRect().top < 0 || list.contains(document.activeElement);
}

async function arrive(x) {
  const { state } = x;
  if (!state.items || state.key !== keyOf(x)) return;
  if (state.asking) {
    state.again = true; // one question at a time
    return;
  }
  state.asking = true;
  try {
    do {
      const wait = (state.askedAt ?? 0) + PACE_MS - Date.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      state.again = false;
      state.askedAt = Date.now();
      const answer = await x.api.get("changes", { ...filters(x), limit: NEW_MAX });
      await nameMembers(x, answer.changes);
      if (state.key === keyOf(x)) take(x, answer);
    } while (state.again);
  } catch {
    // the frame says that the server is gone, and loads again when it is back
  }
  state.asking = false;
  x.redraw();
}

function take(x, answer) {
  const { state } = x;
  const known = new Set([...state.items, ...state.waiting].map((change) => change.place));
  const from = answer.changes.findIndex((change) => known.has(change.place)); // where what is known begins
  const come = from < 0 ? answer.changes : answer.changes.slice(0, from);
  if (!come.length) return;
  state.overflow ||= from < 0 && !!answer.next && known.size > 0;
  state.waiting = [...come, ...state.waiting].slice(0, NEW_MAX);
  if (!reading(state)) reveal(x);
}

function reveal(x) {
  const { state } = x;
  const n = state.waiting.length;
  if (state.overflow) {
    state.overflow = false;
    begin(x, state).then(x.redraw, x.reload);
    return;
  }
  state.fresh = new Set(state.waiting.map((change) => change.place));
  state.items = [...state.waiting, ...state.items].slice(0, SHOWN_MAX);
  state.waiting = [];
  if (n) x.say(x.t("changes.arrived", { n }));
}

function showWaiting(x) {
  reveal(x);
  x.redraw();
  const heading = document.getElementById("feed-heading");
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "start" });
}

function togglePause(x) {
  x.state.paused = !x.state.paused;
  if (!x.state.paused && x.state.waiting.length) reveal(x);
  x.redraw();
}

async function older(x) {
  const { state } = x;
  if (state.busy) return;
  state.busy = true;
  state.failed = null;
  x.redraw();
  try {
    const { key } = state;
    const { changes, next } = await search(x, state.next);
    if (state.key === key) Object.assign(state, { items: [...state.items, ...changes], next });
  } catch (error) {
    state.failed = error.detail ?? error.message;
  }
  state.busy = false;
  x.redraw();
}

// ---- filters ----

function fieldOptions(x, kind) {
  const kinds = kind ? [kind] : KINDS;
  const found = new Map();
  for (const name of kinds)
    for (const column of x.columns.get(name)) if (!found.has(column.name)) found.set(column.name, x.columns.label(name, column.name, x.lang));
  return [...found].sort((a, b) => x.collator.compare(a[1], b[1]));
}

const option = (value, text, chosen) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`;

function filterForm(x) {
  const { t, label } = x;
  const now = filters(x);
  const kind = now.entity_kind ? `entity:${now.entity_kind}` : now.kind;
  const submit = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    const [name, entityKind] = given.kind.split(":");
    x.navigate(x.here({ ...given, editor: given.editor.trim(), kind: name, entity_kind: entityKind ?? null, before: null }));
  };
  const used = FILTERS.some((name) => now[name]);
  return html`<form class="feed-filters" role="search" aria-label=${t("changes.filters")} @submit=${submit}>
    <p>
      <label for="f-region">${t("changes.filter.region")}</label>
      <select id="f-region" name="region">
        ${option("", t("changes.filter.all_regions"), now.region)}
        ${REGIONS.map((code) => option(code, label("region", code), now.region))}
      </select>
    </p>
    <p>
      <label for="f-kind">${t("changes.filter.kind")}</label>
      <select id="f-kind" name="kind">
        ${option("", t("changes.filter.all_kinds"), kind)} ${option("entity", label("any", "entity"), kind)}
        ${ENTITY_KINDS.map((one) => option(`entity:${one}`, one, kind))}
        ${KINDS.slice(1).map((one) => option(one, label("any", one), kind))}
      </select>
    </p>
    <p>
      <label for="f-field">${t("changes.filter.field")}</label>
      <select id="f-field" name="field">
        ${option("", t("changes.filter.all_fields"), now.field)}
        ${fieldOptions(x, now.kind).map(([name, text]) => option(name, text, now.field))}
      </select>
    </p>
    <p>
      <label for="f-editor">${t("changes.filter.editor")}</label>
      <input id="f-editor" name="editor" type="text" size="6" maxlength="64" placeholder="e07" autocomplete="off" .value=${now.editor} />
    </p>
    <p>
      <label for="f-from">${t("changes.filter.from")}</label>
      <input id="f-from" name="from" type="date" .value=${now.from} />
    </p>
    <p>
      <label for="f-to">${t("changes.filter.to")}</label>
      <input id="f-to" name="to" type="date" .value=${now.to} />
    </p>
    <p class="feed-submit">
      <button type="submit">${t("changes.filter.apply")}</button>
      ${used ? html`<a href=${x.link("/changes")}>${t("changes.filter.clear")}</a>` : nothing}
    </p>
  </form>
  ${only(x, "id")} ${only(x, "log")}`;
}

// Filters that links set and the form has no field for.
function only(x, name) {
  const value = x.query.get(name);
  if (!value) return nothing;
  return html`<p class="feed-only">${x.t(`changes.only.${name}`, { [name]: value })} <a href=${x.here({ [name]: null })}>${x.t("changes.filter.clear")}</a></p>`;
}

// ---- one change ----

// A new record had no values before: only what they are now.
function created(x, { kind, diff: fields }) {
  const values = fields.filter(({ field }) => !IN_TITLE.includes(field));
  const record = Object.fromEntries(values.map(({ field, to }) => [field, to]));
  const list = (rows) => fieldList(x, kind, record, rows.map(({ field }) => field));
  return html`${list(values.slice(0, FIELDS_SHOWN_NEW))} ${folded(x, values.slice(FIELDS_SHOWN_NEW), list)}`;
}

const folded = (x, rest, list) =>
  rest.length ? html`<details><summary>${x.t("changes.more_fields", { n: rest.length })}</summary>${list(rest)}</details>` : nothing;

function changeDiff(x, change) {
  const labelOf = (field) => x.columns.label(change.kind, field, x.lang);
  const textOf = (field, value) => fieldText(x, change.kind, field, value);
  if (change.created && change.diff.length) return created(x, change);
  if (!change.diff.length) return change.retired ? nothing : html`<p class="muted">${x.t("changes.no_diff")}</p>`;
  const list = (rows) => diff(x, rows, labelOf, textOf);
  return html`${list(change.diff.slice(0, FIELDS_SHOWN))} ${folded(x, change.diff.slice(FIELDS_SHOWN), list)}`;
}

function evidence(x, change) {
  const { log, index, position } = change;
  const names = { log, index };
  const national = x.site?.role === "server";
  return html`<ul class="feed-links">
    <li>
      <a href=${x.link("/changes", { log, as_of: String(position + 1) })} title=${x.t("changes.entry_title")}>${x.t("changes.entry", names)}</a>
    </li>
    ${change.proof
      ? html`<li><a href=${change.proof} download title=${x.t("changes.proof_title", names)}>${x.t("changes.proof")}</a></li>
          ${national
            ? html`<li>
                <a href="${change.proof}?national=1" download title=${x.t("changes.proof_national_title", names)}>${x.t("changes.proof_national")}</a>
              </li>`
            : nothing}`
      : nothing}
  </ul>`;
}

function verb(x, { created, retired }) {
  if (retired) return badge("bad", x.t("changes.retired"));
  return created ? badge("good", x.t("changes.created")) : badge("note", x.t("changes.changed"));
}

// What one event did to one record; `heading` wraps its title in the heading that fits there.
function recordPart(x, change, heading) {
  return html`${heading(html`${verb(x, change)} ${recordLink(x, { ...change, title: changeTitle(x, change) })}`)}
    <p class="feed-what">${x.label("any", change.kind)} · ${x.label("region", change.region)} · <code>${change.id}</code></p>
    ${changeDiff(x, change)}`;
}

function why(x, change) {
  const { t } = x;
  const source = change.source ?? html`<span class="unknown">${t("changes.unknown_source")}</span>`;
  return html`<dl class="feed-why">
    <div><dt>${t("changes.by")}</dt><dd>${change.editor ?? unknown(x)}</dd></div>
    <div><dt>${t("changes.reason")}</dt><dd>${change.reason ?? unknown(x)}</dd></div>
    <div><dt>${t("changes.source")}</dt><dd>${source}</dd></div>
  </dl>`;
}

// One act that changed several records, such as an import.
function several(x, { changes, open }, id) {
  const { t } = x;
  const part = (change) => html`<li>${recordPart(x, change, (title) => html`<h4>${title}</h4>`)}</li>`;
  const rest = changes.slice(RECORDS_SHOWN);
  return html`<h3 id=${id}>${t(open ? "changes.records_at_least" : "changes.records", { n: changes.length })}</h3>
    <p class="feed-what">${x.label("region", changes[0].log.split("/")[0])}</p>
    ${why(x, changes[0])}
    <ul class="feed-records">${changes.slice(0, RECORDS_SHOWN).map(part)}</ul>
    ${rest.length
      ? html`<details><summary>${t("changes.more_records", { n: rest.length })}</summary><ul class="feed-records">${rest.map(part)}</ul></details>`
      : nothing}`;
}

function item(x, event) {
  const [first] = event.changes;
  const id = `c-${first.log.replace("/", "-")}-${first.index}`;
  const fresh = event.changes.some(({ place }) => x.state.fresh.has(place));
  const one = () => html`${recordPart(x, first, (title) => html`<h3 id=${id}>${title}</h3>`)} ${why(x, first)}`;
  return html`<li class=${fresh ? "is-new" : nothing}>
    <article aria-labelledby=${id}>
      <p class="feed-when">${moment(x, first.recorded, { seconds: true })}</p>
      ${event.changes.length > 1 ? several(x, event, id) : one()} ${evidence(x, first)}
    </article>
  </li>`;
}

const eventKey = ({ log, index }) => `${log}/${index}`;

// The changes of one event belong together; the last event may go on in what is not loaded yet.
function events({ items, next }) {
  const found = [];
  for (const change of items) {
    const last = found[found.length - 1];
    if (last && eventKey(last.changes[0]) === eventKey(change)) last.changes.push(change);
    else found.push({ changes: [change], open: false });
  }
  const last = found[found.length - 1];
  if (last && last.changes.length > 1) last.open = !!next;
  return found;
}

// ---- the whole ----

function control(x) {
  const { t, state } = x;
  if (x.asOf) return html`<p class="feed-control">${t("changes.past")}</p>`;
  const n = state.waiting.length;
  return html`<div class="feed-control">
    <p>${t(state.paused ? "changes.paused" : "changes.live")}</p>
    <button type="button" id="pause" @click=${() => togglePause(x)}>${t(state.paused ? "changes.resume" : "changes.pause")}</button>
    ${n
      ? html`<button type="button" class="feed-waiting" @click=${() => showWaiting(x)}>
          ${state.overflow ? t("changes.waiting_more", { n }) : t("changes.waiting", { n })}
        </button>`
      : nothing}
  </div>`;
}

function ending(x) {
  const { t, state } = x;
  if (state.busy) return html`<p class="feed-end" role="status">${t("changes.loading")}</p>`;
  const failed = state.failed ? html`<p role="alert">${t("changes.failed", { detail: state.failed })}</p>` : nothing;
  if (!state.next) return state.items.length ? html`<p class="feed-end muted">${t("changes.end")}</p>` : nothing;
  const text = t(state.items.length ? "changes.older" : "changes.older_many");
  return html`<div class="feed-end">${failed}<button type="button" id="older" @click=${() => older(x)}>${text}</button></div>`;
}

export default {
  path: "/changes",
  nav: "nav_changes",
  pauses: true,
  title: (x) => x.t("changes.title"),
  async load(x) {
    const { state } = x;
    state.paused ??= false;
    if (state.key === keyOf(x) && state.items) await arrive(x);
    else await begin(x, state);
    return state;
  },
  // The list is not loaded again: what is new is asked for and added.
  concerns(event, x) {
    arrive(x);
    return false;
  },
  render(x, state) {
    const { t } = x;
    return html`<p class="lede">${t("changes.lead")}</p>
      ${filterForm(x)}
      <section aria-labelledby="feed-heading">
        <h2 id="feed-heading" class="sr-only" tabindex="-1">${t("changes.list")}</h2>
        ${control(x)}
        ${state.items.length
          ? html`<ol class="feed">${repeat(events(state), ({ changes }) => eventKey(changes[0]), (event) => item(x, event))}</ol>`
          : empty(x, t(state.next ? "changes.none_so_far" : "changes.none"))}
        ${ending(x)}
      </section>`;
  },
};
