// What stands where data would: they are coming, there are none, they could not be had.
import { html, nothing } from "lit-html";
import { icon } from "./icons.js";

export function loading(x) {
  return html`<p class="state state-loading">${icon("wait")}<span>${x.t("common.loading")}</span></p>`;
}

export function empty(x, text = x.t("common.empty"), action = nothing) {
  return html`<div class="state state-empty">${icon("note")}<p>${text}</p>${action}</div>`;
}

// Whether it is the day asked for that cannot be shown, and not the page.
export function badAsOf(x, error) {
  if (!x.asOf) return false;
  const ahead = /^\d+$/.test(x.asOf) && x.live.position !== null && Number(x.asOf) > x.live.position;
  return error.status === 400 || (error.status === 404 && ahead);
}

function reason(x, error) {
  if (badAsOf(x, error)) return x.t("common.error_as_of", { asked: x.asOf });
  if (error.status === 0) return x.t("common.error_network");
  if (error.status < 0) return x.t("common.error_page");
  if (error.status === 503) return x.t("common.error_busy");
  return x.t(error.status < 500 ? "common.error_request" : "common.error_server");
}

// error: an api Problem; again(): tries once more.  What the API says of it is English.
export function problem(x, error, again) {
  const said = [error.detail, error.next].filter(Boolean).join(" ");
  return html`<div class="state state-error" role="alert">
    ${icon("bad")}
    <p><strong>${x.t("common.error")}</strong></p>
    <p>${reason(x, error)}</p>
    ${said ? html`<p class="muted" lang="en">${said}</p>` : nothing}
    <p>
      ${badAsOf(x, error)
        ? html`<a href=${x.here({ as_of: null })}>${x.t("common.as_of_now")}</a>`
        : html`<button type="button" @click=${again}>${x.t("common.try_again")}</button>`}
    </p>
  </div>`;
}
