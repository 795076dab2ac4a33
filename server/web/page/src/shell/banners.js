// What a reader must know before the figures: the past, a lost server, old data, a frozen log.
import { html, nothing } from "lit-html";
import { warsawDay } from "../format.js";
import { icon } from "../ui/icons.js";

function banner(kind, text, action = nothing) {
  return html`<div class="banner banner-${kind}" role=${kind === "past" ? nothing : "alert"}>
    ${icon(kind)}
    <p>${text}</p>
    ${action}
  </div>`;
}

function asked(x) {
  if (/^\d{4}-\d{2}-\d{2}$/.test(x.asOf)) return x.t("common.as_of_day", { day: x.date(x.asOf) });
  if (/^\d+$/.test(x.asOf)) return x.t("common.as_of_position", { n: Number(x.asOf) });
  return x.time(x.asOf, { seconds: true });
}

// A day lasts until its end, so today's is yet to come as well.
function ahead(x) {
  if (/^\d{4}-\d{2}-\d{2}$/.test(x.asOf)) return x.asOf >= warsawDay(new Date());
  return !/^\d+$/.test(x.asOf) && Date.parse(x.asOf) > Date.now();
}

// Only the hour when it was today.
function since(x, moment) {
  const today = warsawDay(moment) === warsawDay(new Date());
  return today ? x.clock(moment, { seconds: true }) : x.time(moment.toISOString(), { seconds: true });
}

function lost(x, open) {
  const again = html`<button type="button" @click=${x.retry}>${x.t("common.try_again")}</button>`;
  const last = open.loadedAt && x.live.since && open.loadedAt > x.live.since ? open.loadedAt : (x.live.since ?? open.loadedAt);
  if (!last || open.data === undefined) return banner("lost", x.t("common.lost_never"), again);
  const today = warsawDay(last) === warsawDay(new Date());
  return banner("lost", x.t(today ? "common.lost_banner" : "common.lost_banner_day", { since: since(x, last) }), again);
}

function stale(x) {
  const { written } = x.live;
  const text = written ? x.t("common.stale_banner", { since: x.time(written, { seconds: true }) }) : x.t("common.stale_banner_unknown");
  return banner("stale", text);
}

// "26/2" is the second log of region 26
const logName = (x, log) => (log.length > 2 ? `${x.label("region", log.slice(0, 2))} (${log})` : x.label("region", log));

function frozen(x) {
  const logs = x.live.frozen;
  const text = x.t("common.frozen_banner", { n: logs.length, logs: logs.map((log) => logName(x, log)).join(", ") });
  return banner("frozen", text, html`<a href=${x.link("/trust")}>${x.t("common.frozen_link")}</a>`);
}

export function banners(x, open) {
  const list = [];
  if (x.asOf && !(open.error && open.data === undefined))
    list.push(
      banner("past", x.t(ahead(x) ? "common.as_of_ahead" : "common.as_of_banner", { asked: asked(x) }), html`<a href=${x.here({ as_of: null })}>${x.t("common.as_of_now")}</a>`),
    );
  if (x.live.link === "lost") list.push(lost(x, open));
  else if (x.live.stale) list.push(stale(x));
  if (x.live.link !== "lost" && open.error && open.data !== undefined)
    list.push(
      banner(
        "lost",
        x.t("common.old_data", { since: open.loadedAt ? x.clock(open.loadedAt, { seconds: true }) : "" }),
        html`<button type="button" @click=${x.reload}>${x.t("common.try_again")}</button>`,
      ),
    );
  if (x.live.frozen.length) list.push(frozen(x));
  if (!list.length) return nothing;
  return html`<section class="banners" aria-label=${x.t("common.notices")}>${list}</section>`;
}
