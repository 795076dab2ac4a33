// Paging by cursor: there is a next page or none, a way back, and one to the beginning.
import { html, nothing } from "lit-html";

// nextHref, previousHref, firstHref: addresses or null; follow(href): told instead of the link being
// followed, for who wants the focus somewhere else afterwards
export function pager(x, { nextHref, previousHref = null, firstHref = null, shown = null, total = null, first = null, follow = null }) {
  if (!nextHref && !previousHref && !firstHref && shown === null) return nothing;
  const step = (event) => {
    if (!follow || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    follow(event.currentTarget.getAttribute("href"));
  };
  const link = (href, text, rel) => html`<a class="button" href=${href} rel=${rel ?? nothing} @click=${step}>${text}</a>`;
  const range = first === null ? x.number(shown ?? 0) : `${x.number(first)}–${x.number(first + shown - 1)}`;
  return html`<nav class="pager" aria-label=${x.t("common.pages")}>
    ${shown === null || total === null ? nothing : html`<p>${x.t("common.shown_of", { shown: range, n: total })}</p>`}
    ${firstHref ? link(firstHref, x.t("common.first_page")) : nothing}
    ${previousHref ? link(previousHref, x.t("common.previous_page"), "prev") : nothing}
    ${nextHref ? link(nextHref, x.t("common.next_page"), "next") : nothing}
  </nav>`;
}
