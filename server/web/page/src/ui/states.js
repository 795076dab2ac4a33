// What stands where data would: they are coming, there are none, they could not be had.
import { html, nothing } from "lit-html";
import { icon } from "./icons.js";

export function loading(x) {
  return html`<p class="state state-loading">${icon("wait")}<span>${x.t("common.loading")}</span></p>`;
}

export function empty(x, text = x.t("common.empty"), action = nothing) {
  return html`<div class="state state-empty">${icon("note")}<p>${text}</p>${action}</div>`;
}

// error: an api Problem; again(): tries once more
export function problem(x, error, again) {
  const unreachable = error.status === 0;
  const missing = error.status === 404;
  return html`<div class="state state-error" role="alert">
    ${icon("bad")}
    <p><strong>${missing ? error.title : x.t("common.error")}</strong></p>
    <p>${unreachable ? x.t("common.error_network") : (error.detail ?? error.title)}</p>
    ${!unreachable && error.next ? html`<p>${error.next}</p>` : nothing}
    <p>
      ${missing
        ? html`<a href=${x.link("/")}>${x.t("common.to_overview")}</a>`
        : html`<button type="button" @click=${again}>${x.t("common.try_again")}</button>`}
    </p>
  </div>`;
}
