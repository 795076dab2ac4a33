// What changed this quarter, how good the data are, and which regions' logs are here.
import { html, nothing } from "lit-html";
import { logBadge } from "../../ui/badge.js";
import { table } from "../../ui/table.js";
import { ago, day } from "../../ui/time.js";

const MOVES = ["new", "ended", "moved", "operator_changed", "joined", "left", "edited"];

const nameOf = (x, region) => x.label("region", region.region);

export function quarter(x, data) {
  const all = data.quarter;
  const moved = MOVES.filter((move) => all[move]);
  const busy = data.regions
    .map((region) => ({ region, parts: MOVES.filter((move) => region.quarter[move]) }))
    .filter(({ parts }) => parts.length)
    .sort((a, b) => x.collator.compare(nameOf(x, a.region), nameOf(x, b.region)));
  return html`<section class="panel quarter" aria-labelledby="quarter-title">
    <h2 id="quarter-title">${x.t("overview.quarter")}</h2>
    <p class="muted">${x.rich("overview.quarter_from", { date: day(x, all.from) })}</p>
    ${moved.length
      ? html`<dl class="moves">
          ${MOVES.map(
            (move) => html`<div class=${all[move] ? nothing : "muted"}>
              <dt>${x.t(`overview.move_${move}`)}</dt>
              <dd>${all[move] ? x.number(all[move]) : x.t("overview.move_none")}</dd>
            </div>`,
          )}
        </dl>`
      : html`<p>${x.t("overview.quarter_none")}</p>`}
    ${busy.length && data.regions.length > 1
      ? html`<details class="moves-by-region">
          <summary>${x.t("overview.quarter_regions")}</summary>
          <ul>
            ${busy.map(
              ({ region, parts }) => html`<li>
                <a href=${x.link("/changes", { region: region.region, from: all.from })}>${nameOf(x, region)}</a>:
                ${parts.map((move) => `${x.t(`overview.move_${move}`).toLowerCase()} ${x.number(region.quarter[move])}`).join(", ")}
              </li>`,
            )}
          </ul>
        </details>`
      : nothing}
    <p><a href=${x.link("/changes", { from: all.from })}>${x.t("overview.all_changes")}</a></p>
  </section>`;
}

function fact(label, value, note = nothing) {
  return html`<div><dt>${label}</dt><dd>${value} ${note}</dd></div>`;
}

export function quality(x, data) {
  const { freshness, membership, completeness } = data;
  const known = completeness.reduce((sum, row) => sum + row.known, 0);
  const of = completeness.reduce((sum, row) => sum + row.of, 0);
  const note = (part, base) => html`<span class="muted">(${x.t("common.of", { part: x.number(part), base: x.number(base) })})</span>`;
  const conflicts = data.regions.reduce((sum, region) => sum + region.conflicts, 0);
  const members = (kind) => {
    const row = membership.find((one) => one.kind === kind);
    if (!row?.base || !row.in_network) return x.t("common.none_recorded");
    return html`${x.share(row.in_network, row.base)} ${note(row.in_network, row.base)}`;
  };
  return html`<section class="panel" aria-labelledby="quality-title">
    <h2 id="quality-title">${x.t("overview.quality")}</h2>
    <dl class="facts">
      ${fact(x.t("overview.fact_completeness"), of ? html`${x.share(known, of)} ${note(known, of)}` : x.t("common.none_recorded"))}
      ${fact(
        x.t("overview.fact_confirmed"),
        freshness.of ? (freshness.known ? html`${x.share(freshness.known, freshness.of)} ${note(freshness.known, freshness.of)}` : x.t("overview.never_confirmed")) : x.t("common.none_recorded"),
      )}
      ${freshness.median ? fact(x.t("overview.fact_median"), day(x, freshness.median)) : nothing}
      ${freshness.oldest ? fact(x.t("overview.fact_oldest"), day(x, freshness.oldest)) : nothing}
      ${fact(x.t("overview.fact_members_cis"), members("CIS"))} ${fact(x.t("overview.fact_members_kis"), members("KIS"))}
      ${fact(x.t("overview.fact_conflicts"), conflicts ? x.number(conflicts) : x.t("overview.no_conflicts"))}
    </dl>
    <p><a href=${x.link("/quality")}>${x.t("overview.to_quality")}</a></p>
  </section>`;
}

export function replication(x, data) {
  const byLog = new Map(data.regions.map((region) => [region.region, region]));
  // what the last look at the status said is newer than the summary
  const logs = x.live.status?.logs ?? data.replication;
  if (x.asOf || !logs.length) return nothing; // it is of now
  const name = (log) => {
    const region = byLog.get(log.log.slice(0, 2));
    return region ? nameOf(x, region) : log.log;
  };
  const ordered = [...logs].sort((a, b) => x.collator.compare(name(a), name(b)));
  const columns = [
    {
      key: "name",
      label: x.t("common.region"),
      header: true,
      cell: (log) => html`<a href=${x.link(`/region/${log.log.slice(0, 2)}`)}>${name(log)}</a>${log.log.length > 2 ? ` (${log.log})` : nothing}`,
    },
    { key: "state", label: x.t("overview.column_state"), cell: (log) => logBadge(x, log) },
    { key: "size", label: x.t("overview.column_size"), number: true, cell: (log) => x.number(log.size) },
    { key: "lag", label: x.t("overview.column_lag"), number: true, cell: (log) => x.number(log.lag) },
    { key: "contact", label: x.t("overview.column_contact"), cell: (log) => ago(x, log.last_contact) },
    { key: "commit", label: x.t("overview.column_commit"), cell: (log) => ago(x, log.last_commit) },
  ];
  const away = logs.filter((log) => log.frozen || log.state !== "live").length;
  return html`<section class="replication" aria-labelledby="replication-title">
    <h2 id="replication-title">${x.t("overview.replication")}</h2>
    <p>
      ${away ? x.t("overview.replication_away", { n: away, all: logs.length }) : x.t("overview.replication_all", { n: logs.length })}
      <a href=${x.link("/trust")}>${x.t("overview.to_trust")}</a>
    </p>
    ${table(x, { caption: x.t("overview.replication_caption"), hideCaption: true, columns, rows: ordered, rowKey: (log) => log.log })}
  </section>`;
}

// At a node: what each server has confirmed of the region's log.
export function servers(x) {
  const rows = x.live.status?.servers ?? [];
  const columns = [
    { key: "name", label: x.t("overview.column_server"), header: true, cell: (row) => row.name },
    { key: "state", label: x.t("overview.column_connection"), cell: (row) => logBadge(x, row) },
    { key: "confirmed", label: x.t("overview.column_confirmed"), number: true, cell: (row) => x.number(row.confirmed) },
    { key: "lag", label: x.t("overview.column_waiting"), number: true, cell: (row) => x.number(row.lag) },
    { key: "contact", label: x.t("overview.column_contact"), cell: (row) => ago(x, row.last_contact) },
  ];
  if (x.asOf || !rows.length) return nothing;
  return html`<section class="replication" aria-labelledby="replication-title">
    <h2 id="replication-title">${x.t("overview.servers")}</h2>
    ${table(x, { caption: x.t("overview.servers"), hideCaption: true, columns, rows, rowKey: (row) => row.name })}
  </section>`;
}
