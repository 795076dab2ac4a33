// The foot of every page.
import { html, nothing } from "lit-html";

// Paper does not say where it came from, nor when.
function printed(x, loadedAt) {
  if (!loadedAt) return nothing;
  return html`<p class="print-only">${x.t("common.printed", { when: x.time(loadedAt.toISOString(), { seconds: true }), address: location.href })}</p>`;
}

export function footer(x, { loadedAt }) {
  const texts = x.site?.texts ?? {};
  const body = (x.lang === "en" ? texts["body-en"] : null) || texts.body;
  return html`<footer aria-label=${x.t("common.footer")}>
    ${printed(x, loadedAt)}
    <p>${x.t("common.foot_unofficial")}</p>
    ${body ? html`<p>${body}</p>` : nothing}
    <ul>
      <li><a href=${x.link("/accessibility")}>${x.t("common.nav_accessibility")}</a></li>
      <li><a href="/api/v1">${x.t("common.foot_api")}</a></li>
      <li><a href="/api/v1/openapi.json">${x.t("common.foot_openapi")}</a></li>
      <li><a href="/notices.txt">${x.t("common.foot_notices")}</a></li>
      ${x.site?.version ? html`<li>${x.t("common.foot_version", { version: x.site.version })}</li>` : nothing}
    </ul>
  </footer>`;
}
