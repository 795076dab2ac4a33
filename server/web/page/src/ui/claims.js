// Figures that somebody stated, beside those that are recorded: always with who and when.
import { html, nothing } from "lit-html";
import { claimValue } from "../measures.js";

export function claimText(x, claim) {
  const texts = { what: claimValue(x, claim, claim.kind), who: claim.reported_by, date: x.date(claim.as_of) };
  return x.t("overview.claim", texts);
}

// claims: newest first; `most` of them are shown, the rest is counted
export function claimList(x, claims, most) {
  if (!claims.length) return nothing;
  const rest = claims.length - most;
  return html`<span class="claims">
    <span class="claims-head">${x.t("overview.stated")}</span>
    ${claims.slice(0, most).map((claim) => html`<span class="claim">${claimText(x, claim)}</span>`)}
    ${rest > 0 ? html`<span class="claim">${x.t("overview.more_claims", { n: rest })}</span>` : nothing}
  </span>`;
}
