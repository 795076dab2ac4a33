// A record's versions, newest first: who, when, why, from which document, and field by field.
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { warsawDay } from "../format.js";
import { badge, unknown } from "./badge.js";
import { diff } from "./diff.js";
import { fieldText } from "./fields.js";
import { moment } from "./time.js";

function act(x, { created, retired }) {
  if (retired) return badge("bad", x.t("entity.retired_version"));
  return created ? badge("good", x.t("entity.created")) : badge("note", x.t("entity.changed"));
}

function fields(x, kind, version) {
  if (!version.diff.length) return version.retired ? nothing : html`<p class="muted">${x.t("common.no_difference")}</p>`;
  const rows = diff(
    x,
    version.diff,
    (field) => x.columns.label(kind, field, x.lang),
    (field, value) => fieldText(x, kind, field, value),
  );
  if (!version.created) return rows;
  const summary = x.t("entity.created_fields", { n: version.diff.length });
  return html`<details><summary>${summary}</summary>${rows}</details>`;
}

function links(x, path, version) {
  const { log, index, position, recorded, proof } = version;
  const day = warsawDay(new Date(recorded));
  const names = { log, index };
  const when = x.time(recorded, { seconds: true });
  return html`<ul class="timeline-links">
    <li>
      <a href=${x.link("/changes", { log, from: day, to: day })} aria-label=${x.t("entity.entry_hint", names)}>${x.t("entity.entry", names)}</a>
    </li>
    <li><a href=${x.link(path, { as_of: String(position + 1) })} aria-label=${x.t("entity.then_hint", { when })}>${x.t("entity.then")}</a></li>
    <li>
      ${proof
        ? html`<a href=${proof} download aria-label=${x.t("entity.proof_hint", names)}>${x.t("entity.proof")}</a>`
        : html`<span class="muted">${x.t(x.site?.export ? "entity.no_proof" : "entity.no_export")}</span>`}
    </li>
    ${proof && x.site?.role === "server"
      ? html`<li>
          <a href="${proof}?national=1" download aria-label=${x.t("entity.proof_national_hint", names)}>${x.t("entity.proof_national")}</a>
        </li>`
      : nothing}
  </ul>`;
}

function version(x, kind, path, one) {
  return html`<li>
    <p class="timeline-head">${moment(x, one.recorded, { seconds: true })} ${act(x, one)}</p>
    <dl class="timeline-why">
      <div><dt>${x.t("entity.editor")}</dt><dd>${one.editor ?? unknown(x)}</dd></div>
      <div><dt>${x.t("entity.reason")}</dt><dd>${one.reason ?? unknown(x)}</dd></div>
      <div><dt>${x.t("entity.basis")}</dt><dd>${one.source ?? html`<span class="unknown">${x.t("entity.basis_none")}</span>`}</dd></div>
    </dl>
    ${fields(x, kind, one)} ${links(x, path, one)}
  </li>`;
}

export const versionKey = ({ log, index }) => `${log}/${index}`;

// path: the record's page, for the register of another moment
export function timeline(x, { kind, path, versions }) {
  return html`<ol class="timeline">${repeat(versions, versionKey, (one) => version(x, kind, path, one))}</ol>`;
}
