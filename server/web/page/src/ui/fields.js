// A record's fields: what a value looks like, and lists of them by their labels.
import { html, nothing } from "lit-html";
import { unknown } from "./badge.js";
import { recordPath } from "./records.js";
import { day } from "./time.js";

// refs: what the record's references lead to, by field: { id, kind, title, resolved }
function reference(x, column, raw, ref) {
  if (ref && !ref.resolved)
    return html`<code>${raw}</code> <span class="unresolved">(${x.t(x.site?.role === "node" ? "entity.unresolved_own" : "entity.unresolved")})</span>`;
  const path = recordPath(ref?.kind ?? column.refers_to, raw);
  return html`<a href=${x.link(path)}>${ref?.title ?? raw}</a>`;
}

const LOOKS = {
  text: (x, column, raw) => (x.lang === "pl" ? raw : html`<span lang="pl">${raw}</span>`),
  enum: (x, column, raw) => x.label(column.name, raw),
  bool: (x, column, raw) => x.label("any", raw),
  date: (x, column, raw) => day(x, raw),
  uint: (x, column, raw) => x.figure(raw),
  decimal: (x, column, raw) => x.figure(raw),
  region: (x, column, raw) => html`<a href=${x.link(`/region/${raw}`)}>${x.label("region", raw)}</a>`,
  ref: reference,
  id: (x, column, raw) => html`<code>${raw}</code>`,
  list: (x, column, raw) => html`<span class="documents">${raw.split(";").map((name) => html`<code>${name}</code>`)}</span>`,
};

// A stored value as people read it; null is unknown.
export function fieldText(x, kind, field, raw, refs = {}) {
  if (raw === null || raw === undefined || raw === "") return unknown(x);
  if (field === "measure") return x.label("measure", raw);
  const column = x.columns.find(kind, field);
  return LOOKS[column?.type]?.(x, column, raw, refs[field]) ?? raw;
}

// A column's label as a heading of its own.
export function heading(x, kind, field) {
  const label = x.columns.label(kind, field, x.lang);
  return label.charAt(0).toLocaleUpperCase(x.lang) + label.slice(1);
}

export function fieldList(x, kind, record, names, refs = {}) {
  return html`<dl class="fields">
    ${names.map(
      (name) => html`<div>
        <dt title=${(x.lang === "en" && x.columns.find(kind, name)?.meaning) || nothing}>${heading(x, kind, name)}</dt>
        <dd>${fieldText(x, kind, name, record[name], refs)}</dd>
      </div>`,
    )}
  </dl>`;
}

// Facts that are no columns: [[label, template or text], …]; null is unknown
export function facts(x, rows, classes = "") {
  return html`<dl class="fields ${classes}">
    ${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value ?? unknown(x)}</dd></div>`)}
  </dl>`;
}
