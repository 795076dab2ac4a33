// What is recorded in all, beside what was stated of the whole.
import { html, nothing, svg } from "lit-html";
import { percent } from "../../format.js";
import { claimText } from "../../ui/claims.js";
import { newestClaims } from "../../measures.js";

const CLAIMS_SHOWN = 2;
const BAR = 200; // length of the bar in its own units

function bar(part) {
  return svg`<svg class="share-bar" viewBox="0 0 ${BAR} 8" preserveAspectRatio="none" aria-hidden="true">
    <rect class="share-all" width=${BAR} height="8"/>
    <rect class="share-part" width=${(BAR * Math.min(100, part)) / 100} height="8"/>
  </svg>`;
}

function kindCard(x, data, kind, stated) {
  const recorded = data.by_kind.find((row) => row.kind === kind)?.count ?? 0;
  const claims = newestClaims(data.stated, [kind]);
  const part = recorded && stated ? percent(recorded, stated) : null;
  return html`<div class="total-card">
    <dt>${kind}<span class="total-long">${x.label("kind_long", kind)}</span></dt>
    <dd>
      ${recorded
        ? html`<a class="total-number" href=${x.link("/entities", { kind })} aria-label=${`${x.number(recorded)} ${kind}`}>${x.number(recorded)}</a>
            <span class="total-said">${x.t("overview.recorded_word")}</span>`
        : html`<span class="total-none">${x.t("common.none_recorded")}</span>`}
      ${part === null ? nothing : html`${bar(part)}<span class="total-share">${x.t("overview.share_of_stated", { share: x.share(recorded, stated), stated })}</span>`}
      ${claims.slice(0, CLAIMS_SHOWN).map((claim) => html`<span class="total-claim">${x.t("overview.stated")} ${claimText(x, claim)}</span>`)}
    </dd>
  </div>`;
}

function small(x, label, n, href) {
  const text = n ? x.number(n) : x.t("common.none_recorded");
  return html`<div class="total-small"><dt>${label}</dt><dd>${href && n ? html`<a href=${href} aria-label=${`${text}: ${label}`}>${text}</a>` : text}</dd></div>`;
}

export function totals(x, data) {
  const count = (kind) => data.by_kind.find((row) => row.kind === kind)?.count ?? 0;
  const { totals: all, partial } = data;
  return html`<section class="totals" aria-labelledby="totals-title">
    <h2 id="totals-title" class="sr-only">${x.t("overview.totals")}</h2>
    <div class="totals-row">
      <dl class="total-kinds">
        ${kindCard(x, data, "CIS", partial.stated_cis)} ${kindCard(x, data, "KIS", partial.stated_kis)}
      </dl>
      <dl class="total-rest">
        ${small(x, x.t("overview.total_networks"), all.networks, x.link("/networks"))}
        ${small(x, x.t("overview.total_memberships"), all.memberships)}
        ${small(x, x.t("overview.total_operators"), all.operators)}
        ${small(x, x.t("overview.total_wtz"), count("WTZ"), x.link("/entities", { kind: "WTZ" }))}
        ${small(x, x.t("overview.total_zaz"), count("ZAZ"), x.link("/entities", { kind: "ZAZ" }))}
        ${small(x, x.t("overview.total_statistics"), all.statistics)}
      </dl>
    </div>
  </section>`;
}
