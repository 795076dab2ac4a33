// Search and facets over entities and operators.  All of it stands in the address, so that a link
// repeats it.
import { html, nothing } from "lit-html";
import { statusBadge, unknown } from "../ui/badge.js";
import { facet } from "../ui/facets.js";
import { heading } from "../ui/fields.js";
import { icon } from "../ui/icons.js";
import { pager } from "../ui/pager.js";
import { apiAddress, filtersOf, UNKNOWN } from "../ui/query.js";
import { recordLink, recordPath } from "../ui/records.js";
import { empty } from "../ui/states.js";
import { table } from "../ui/table.js";
import { day } from "../ui/time.js";

const LIMIT = 50;
const TYPING_MS = 250; // after the last letter
const SEARCH_MAX = 200;
const SORT = "name";

const regionCell = (x, code) => html`<a href=${x.link(`/region/${code}`)}>${x.label("region", code)}</a>`;

export function kindName(x, kind) {
  return html`<abbr title=${x.label("kind_long", kind)}>${kind}</abbr>`;
}

// The operator as a link where it is a record, and what sort of body it is.
export function operatorCell(x, entity) {
  const { operator_id: id, operator_name: name, operator_form: form } = entity;
  const who = id ? html`<a href=${x.link(recordPath("operator", id))}>${name ?? id}</a>` : (name ?? unknown(x));
  return html`${who}${form ? html`<span class="second">${x.label("operator_form", form)}</span>` : nothing}`;
}

const LISTS = {
  entity: {
    plural: "entities",
    facets: ["region", "kind", "status", "operator_form", "operator_sector", "register_state", "ksr_pilot"],
    columns: (x, label) => [
      { key: "name", label: label("name"), sort: true, header: true, class: "wide", cell: (row) => recordLink(x, { kind: "entity", id: row.id, title: row.name }) },
      { key: "kind", label: label("kind"), sort: true, cell: (row) => kindName(x, row.kind) },
      { key: "place", label: label("place"), sort: true, cell: (row) => html`${row.place ?? unknown(x)}<span class="second">${regionCell(x, row.region)}</span>` },
      { key: "operator_name", label: label("operator_name"), sort: true, class: "wide", cell: (row) => operatorCell(x, row) },
      { key: "status", label: label("status"), sort: true, cell: (row) => statusBadge(x, row.status) },
      { key: "verified_on", label: label("verified_on"), sort: true, cell: (row) => day(x, row.verified_on) },
    ],
  },
  operator: {
    plural: "operators",
    facets: ["region", "form", "sector", "form_basis"],
    columns: (x, label) => [
      { key: "name", label: label("name"), sort: true, header: true, class: "wide", cell: (row) => recordLink(x, { kind: "operator", id: row.id, title: row.name }) },
      { key: "form", label: label("form"), sort: true, cell: (row) => (row.form ? x.label("form", row.form) : unknown(x)) },
      { key: "sector", label: label("sector"), sort: true, cell: (row) => (row.sector ? x.label("sector", row.sector) : unknown(x)) },
      { key: "region", label: label("region"), sort: true, cell: (row) => regionCell(x, row.region) },
      { key: "krs", label: label("krs"), sort: true, cell: (row) => row.krs ?? unknown(x) },
      { key: "nip", label: label("nip"), sort: true, cell: (row) => row.nip ?? unknown(x) },
    ],
  },
};

const kindOf = (x) => (x.query.get("list") === "operators" ? "operator" : "entity");
const searchOf = (x) => x.query.get("q")?.slice(0, SEARCH_MAX) ?? "";
const own = (x, key, values) => x.t(`entities.${key}${kindOf(x) === "operator" ? "_operators" : ""}`, values);

function addressOf(x, end, params) {
  const kind = kindOf(x);
  const filters = filtersOf(x.query, x.columns, kind);
  const asked = { q: searchOf(x), sort: x.query.get("sort") ?? SORT, ...params };
  return apiAddress(LISTS[kind].plural + end, filters, asked, x.asOf);
}

// ---- search ----

// What is typed stays, unless the address came to say something else meanwhile (a step back).
function typed(x) {
  if (x.state.sent !== searchOf(x)) Object.assign(x.state, { sent: searchOf(x), typed: searchOf(x) });
  return x.state.typed;
}

function send(x, replace) {
  clearTimeout(x.state.timer);
  const words = x.state.typed.trim().slice(0, SEARCH_MAX);
  if (words === x.state.sent) return;
  x.state.sent = words;
  x.navigate(x.here({ q: words || null, cursor: null }), { replace });
}

function searchForm(x) {
  const { state, t } = x;
  const text = typed(x);
  const input = ({ target }) => {
    state.typed = target.value;
    clearTimeout(state.timer);
    // to the address of then, which another step may have changed; not after the page was left
    state.timer = setTimeout(() => target.isConnected && state.send(), TYPING_MS);
  };
  state.send = () => send(x, state.sent !== "");
  const submit = (event) => {
    event.preventDefault();
    send(x, false);
  };
  return html`<form class="search" role="search" @submit=${submit}>
    <label for="q">${t("entities.search")}</label>
    <input id="q" name="q" type="search" autocomplete="off" spellcheck="false" maxlength=${SEARCH_MAX}
      aria-describedby="q-hint" .value=${text} @input=${input} />
    <p id="q-hint" class="hint">${t("entities.search_hint")}</p>
  </form>`;
}

// ---- filters ----

// Values in the order of the column's own list, regions and texts by collation; unknown is last.
function orderOf(x, kind, field) {
  const values = x.columns.find(kind, field).values;
  const text = ({ value }) => x.label(field, value);
  return (a, b) => {
    if (a.value === UNKNOWN || b.value === UNKNOWN) return (a.value === UNKNOWN) - (b.value === UNKNOWN);
    if (values.length) return values.indexOf(a.value) - values.indexOf(b.value);
    if (field === "region") return (a.value === "PL") - (b.value === "PL") || x.collator.compare(text(a), text(b));
    return x.collator.compare(text(a), text(b));
  };
}

function valueText(x, field, value) {
  if (field === "kind" && value) return `${value} – ${x.label("kind_long", value)}`;
  return x.label(field, value);
}

function facets(x, data) {
  const kind = kindOf(x);
  return data.facets.map(({ field, values }) =>
    facet(
      x,
      {
        field,
        label: heading(x, kind, field),
        values,
        text: (value) => valueText(x, field, value),
        order: orderOf(x, kind, field),
      },
      x.query.getAll(field),
      (chosen) => x.navigate(x.here({ [field]: chosen, cursor: null })),
    ),
  );
}

function filters(x, data, on) {
  const { state } = x;
  const n = on.reduce((sum, { values }) => sum + values.length, 0);
  const toggle = () => {
    state.filters = !state.filters;
    x.redraw();
  };
  return html`<section class="filters" aria-labelledby="filters-title">
    <h2 id="filters-title">${x.t("entities.filters")}</h2>
    <button type="button" class="filters-toggle" aria-expanded=${state.filters ? "true" : "false"} aria-controls="filters" @click=${toggle}>
      ${icon(state.filters ? "up" : "down")} ${n ? x.t("entities.filters_show", { n }) : x.t("entities.filters")}
    </button>
    <div id="filters" class=${state.filters ? "is-open" : nothing}>${facets(x, data)}</div>
  </section>`;
}

function filterText(x, { field, condition }, value) {
  const what = heading(x, kindOf(x), field);
  const type = x.columns.find(kindOf(x), field).type;
  const raw = value === UNKNOWN ? null : value;
  const text = raw !== null && type === "date" ? x.date(raw) : x.label(field, raw);
  return x.t(`entities.filter_${condition}`, { what, text });
}

// What is on, each with a way to take it off; also what only a link can set.
function chips(x, on) {
  if (!on.length && !searchOf(x)) return nothing;
  const stay = () => {
    x.state.toResults = "focus";
  };
  const chip = (text, changes) => html`<li>
    <a @click=${stay} href=${x.here({ ...changes, cursor: null })} aria-label=${x.t("entities.remove_filter", { what: text })}>${text} ${icon("bad")}</a>
  </li>`;
  return html`<ul class="chips">
    ${searchOf(x) ? chip(x.t("entities.quoted", { text: searchOf(x) }), { q: null }) : nothing}
    ${on.map((filter) =>
      filter.values.map((value) => chip(filterText(x, filter, value), { [filter.name]: filter.values.filter((one) => one !== value) })),
    )}
    <li class="chips-clear">
      <a href=${x.link("/entities", { list: x.query.get("list"), sort: x.query.get("sort") })}>${x.t("common.clear_filters")}</a>
    </li>
  </ul>`;
}

// ---- results ----

// Cursors lead forward only; the way back is what this reader came along.  Noted as an answer comes, since
// the page before may still be drawn under the next one's address.
function remember(x, data) {
  x.state.way ??= new Map();
  const cursor = x.query.get("cursor");
  const here = x.state.way.get(cursor) ?? { previous: undefined, first: cursor ? null : 1 };
  if (!data.next) return { ...here, cursor, next: null };
  const next = new URLSearchParams(data.next.slice(data.next.indexOf("?"))).get("cursor");
  x.state.way.set(next, { previous: cursor, first: here.first === null ? null : here.first + data.records.length });
  return { ...here, cursor, next };
}

function pages(x, data) {
  const { cursor, next, previous, first } = data.page;
  const follow = (href) => {
    x.state.toResults = "start";
    x.navigate(href);
  };
  return pager(x, {
    nextHref: next && x.here({ cursor: next }),
    previousHref: cursor && previous !== undefined ? x.here({ cursor: previous }) : null,
    firstHref: cursor ? x.here({ cursor: null }) : null,
    shown: data.records.length,
    total: data.total,
    first,
    follow,
  });
}

function nothingFound(x, on) {
  if (!on.length && !searchOf(x)) return empty(x, x.t("entities.empty_title"), html`<p>${x.t("entities.none_partial")}</p>`);
  return empty(
    x,
    x.t("entities.none_title"),
    html`<ul>
      ${searchOf(x) ? html`<li>${x.t("entities.none_words")}</li>` : nothing}
      ${on.length ? html`<li>${x.t("entities.none_filters")}</li>` : nothing}
      <li>${x.t("entities.none_partial")}</li>
    </ul>`,
  );
}

function results(x, data, on) {
  const kind = kindOf(x);
  const label = (field) => heading(x, kind, field);
  const columns = LISTS[kind].columns(x, label);
  const sort = data.sort ?? SORT;
  const sorted = x.columns.label(kind, sort.replace(/^-/, ""), x.lang);
  const direction = x.t(sort.startsWith("-") ? "common.sorted_descending" : "common.sorted_ascending");
  return html`<section class="results" aria-labelledby="results">
    <div class="results-head">
      <h2 id="results" tabindex="-1">${x.t("entities.results")}</h2>
      <p role="status" class="hits">${data.total ? x.t("entities.hits", { n: data.total }) : x.t("entities.hits_none")}</p>
      ${data.total
        ? html`<a class="button" id="csv" href=${addressOf(x, ".csv", {})} download aria-describedby="csv-hint">${x.t("entities.csv")}</a>
            <p id="csv-hint" class="hint">${x.t("entities.csv_hint")}</p>`
        : nothing}
    </div>
    ${chips(x, on)}
    ${data.records.length
      ? table(x, {
          caption: own(x, "caption", { sort: `${sorted}, ${direction}` }),
          columns,
          rows: data.records,
          sort,
          sortHref: (next) => x.here({ sort: next, cursor: null }),
          rowKey: (row) => row.id,
        })
      : nothingFound(x, on)}
    ${data.records.length ? pages(x, data) : nothing}
  </section>`;
}

function refused(x, problem) {
  return empty(
    x,
    x.t("entities.bad_title"),
    html`<p>${problem.detail ?? problem.title}</p>
      <p><a href=${x.link("/entities", { list: x.query.get("list") })}>${x.t("entities.start_again")}</a></p>`,
  );
}

function tabs(x) {
  const tab = (kind, list) => html`<li>
    <a href=${x.link("/entities", { list })} aria-current=${kindOf(x) === kind ? "page" : nothing}>
      ${x.t(list ? "entities.title_operators" : "entities.title")}
    </a>
  </li>`;
  return html`<nav class="tabs" aria-label=${x.t("entities.lists")}><ul>${tab("entity", null)}${tab("operator", "operators")}</ul></nav>`;
}

// After a step to another page the reader is at its beginning, not at its end; a filter that was taken
// off leaves no link to stay at.
function toResults(x) {
  const { toResults: where } = x.state;
  x.state.toResults = null;
  if (!where) return;
  setTimeout(() => {
    const heading = document.getElementById("results");
    heading?.focus({ preventScroll: true });
    if (where === "start") heading?.scrollIntoView({ block: "start" });
  });
}

export default {
  path: "/entities",
  nav: "nav_entities",
  title: (x) => own(x, "title"),
  async load(x) {
    const params = { cursor: x.query.get("cursor"), limit: LIMIT, facets: LISTS[kindOf(x)].facets.join(",") };
    try {
      const data = await x.api.follow(addressOf(x, "", params), x.signal);
      toResults(x);
      return { ...data, page: remember(x, data) };
    } catch (error) {
      if (error.status === 400) return { refused: error }; // an address that somebody wrote or that is old
      throw error;
    }
  },
  concerns: (event, x) => event === null || event.changes.some(({ kind }) => kind === kindOf(x)) || event.more > 0,
  render(x, data) {
    const on = filtersOf(x.query, x.columns, kindOf(x));
    // another list's answer may still be on the page while this one's is on its way
    const mine = !data.refused && data.kind === kindOf(x);
    return html`<p class="lede">${own(x, "lead")}</p>
      ${tabs(x)} ${searchForm(x)}
      ${data.refused ? refused(x, data.refused) : nothing}
      ${mine ? html`<div class="listing">${filters(x, data, on)} ${results(x, data, on)}</div>` : nothing}`;
  },
};
