// Paging by cursor: there is a next page or none, and a way back to the first.
import { html, nothing } from "lit-html";

// nextHref, firstHref: addresses or null
export function pager(x, { nextHref, firstHref = null, shown = null, total = null }) {
  if (!nextHref && !firstHref && shown === null) return nothing;
  return html`<nav class="pager" aria-label=${x.t("common.pages")}>
    ${shown === null || total === null ? nothing : html`<p>${x.t("common.shown_of", { shown, n: total })}</p>`}
    ${firstHref ? html`<a class="button" href=${firstHref}>${x.t("common.first_page")}</a>` : nothing}
    ${nextHref ? html`<a class="button" href=${nextHref} rel="next">${x.t("common.next_page")}</a>` : nothing}
  </nav>`;
}
