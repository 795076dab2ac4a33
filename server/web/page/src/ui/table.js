// Tables: a caption, headers that sort, and a region of their own to scroll in where they are wide.
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { icon } from "./icons.js";

const parse = (sort) => (sort?.startsWith("-") ? { key: sort.slice(1), down: true } : { key: sort || null, down: false });

function headerCell(x, column, sort, sortHref) {
  const classes = `${column.number ? "number" : ""} ${column.class ?? ""}`.trim();
  if (!column.sort || !sortHref) return html`<th scope="col" class=${classes || nothing}>${column.label}</th>`;
  const key = column.sort === true ? column.key : column.sort;
  const mine = sort.key === key;
  // figures are first wanted from the greatest down
  const next = mine ? (sort.down ? key : `-${key}`) : column.number ? `-${key}` : key;
  const state = mine ? (sort.down ? "descending" : "ascending") : nothing;
  return html`<th scope="col" class=${classes || nothing} aria-sort=${state}>
    <a class="sort" href=${sortHref(next)} title=${x.t("common.sort_by", { column: column.label })}
      >${column.label}${icon(mine ? (sort.down ? "down" : "up") : "unsorted")}</a
    >
  </th>`;
}

// columns: [{ key, label, cell(row) → template or text, number: right-aligned, sort: true | "name",
//             header: true for the row's header cell, class }]
// sort: "name" or "-name", sortHref(sort) → address; rowKey(row); note: beneath the caption
export function table(x, { caption, columns, rows, sort = null, sortHref = null, rowKey = null, note = nothing, hideCaption = false, rowClass = null }) {
  const sorted = parse(sort);
  const cells = (row) =>
    columns.map((column) => {
      const classes = `${column.number ? "number" : ""} ${column.class ?? ""}`.trim() || nothing;
      return column.header
        ? html`<th scope="row" class=${classes}>${column.cell(row)}</th>`
        : html`<td class=${classes}>${column.cell(row)}</td>`;
    });
  const line = (row) => html`<tr class=${rowClass?.(row) || nothing}>${cells(row)}</tr>`;
  return html`<div class="table-scroll" role="region" tabindex="0" aria-label=${x.t("common.table_scrolls", { caption })}>
    <table>
      <caption class=${hideCaption ? "sr-only" : nothing}>${caption}${note}</caption>
      <thead><tr>${columns.map((column) => headerCell(x, column, sorted, sortHref))}</tr></thead>
      <tbody>${rowKey ? repeat(rows, rowKey, line) : rows.map(line)}</tbody>
    </table>
  </div>`;
}

// Sorts rows that are all here; value(row) of the column is a number, a text or null, which is last.
export function sortRows(x, rows, columns, sort) {
  const { key, down } = parse(sort);
  const column = columns.find((one) => one.key === key);
  if (!column?.value) return rows;
  const order = (a, b) => {
    const [p, q] = [column.value(a), column.value(b)];
    if (p === null || q === null) return (p === null) - (q === null);
    const by = typeof p === "number" && typeof q === "number" ? p - q : x.collator.compare(String(p), String(q));
    return down ? -by : by;
  };
  return [...rows].sort(order);
}
