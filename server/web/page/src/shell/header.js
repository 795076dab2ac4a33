// The head of every page: title, navigation, day, language, and whether the page is live.
import { html, nothing } from "lit-html";
import { address } from "../router.js";
import { warsawDay } from "../format.js";
import { icon } from "../ui/icons.js";

// What the page's connection is like; the past does not change, whatever the connection.
export function liveState(x) {
  if (x.asOf) return "past";
  if (x.live.link === "lost") return "lost";
  if (x.live.stale) return "stale";
  if (x.paused) return "paused";
  return x.live.link === "live" ? "live" : "connecting";
}

function liveBadge(x) {
  const state = liveState(x);
  const position = x.live.position;
  const hint = position === null || x.asOf ? nothing : x.t("common.live_hint", { position });
  return html`<p class="live live-${state}" title=${hint}>${icon(`live-${state}`)}<span>${x.t(`common.live_${state}`)}</span></p>`;
}

// What changes by itself can be held, on every page; a view that has its own button for that does it there.
function pauseButton(x) {
  if (x.asOf || x.view?.pauses) return nothing;
  return html`<button type="button" class="hold" @click=${x.togglePause}>
    ${x.t(x.paused ? "common.resume" : "common.pause")}<span class="sr-only">${x.t("common.pause_what")}</span>
  </button>`;
}

function asOfForm(x) {
  const submit = (event) => {
    event.preventDefault();
    const day = new FormData(event.target).get("as_of");
    x.navigate(x.here({ as_of: day || null, cursor: null, before: null }));
  };
  const day = /^\d{4}-\d{2}-\d{2}$/.test(x.asOf ?? "") ? x.asOf : "";
  return html`<form class="as-of" @submit=${submit}>
    <label for="as-of">${x.t("common.as_of")}</label>
    <input id="as-of" name="as_of" type="date" .value=${day} max=${warsawDay(new Date())} />
    <button type="submit">${x.t("common.as_of_show")}</button>
  </form>`;
}

function languageLink(x) {
  const other = x.lang === "pl" ? "en" : "pl";
  return html`<a class="language" lang=${other} hreflang=${other} href=${address(other, x.path, x.query)}>
    ${x.t("common.other_language")}
  </a>`;
}

export function header(x, views) {
  const items = views.filter((view) => view.nav);
  const scope = x.site?.role === "node" && x.site.region;
  return html`<header class="top">
    <div class="top-row">
      <p class="brand">
        <a href=${x.link("/")}>${icon("weave")}<span>${x.t("common.site")}</span></a>
        ${scope ? html`<span class="scope">${x.t("common.node_scope", { region: x.label("region", scope) })}</span>` : nothing}
      </p>
      <div class="tools">${liveBadge(x)}${pauseButton(x)}${languageLink(x)}${asOfForm(x)}</div>
    </div>
    <nav aria-label=${x.t("common.navigation")}>
      <ul>
        ${items.map((view) => {
          const path = [view.path].flat()[0];
          const current = view === x.view ? "page" : nothing;
          return html`<li><a href=${x.link(path)} aria-current=${current}>${x.t(`common.${view.nav}`)}</a></li>`;
        })}
      </ul>
    </nav>
  </header>`;
}
