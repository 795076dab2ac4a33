// A state as a shape and a word; its colour only agrees.
import { html } from "lit-html";
import { icon } from "./icons.js";

// tone: "good" | "warn" | "bad" | "wait" | "note"
export function badge(tone, text) {
  return html`<span class="badge badge-${tone}">${icon(tone)}<span>${text}</span></span>`;
}

const LOG_TONES = { live: "good", "catching-up": "wait", connecting: "wait", away: "warn", fetching: "wait", frozen: "bad", revoked: "bad", refused: "bad", distrusted: "bad" };
export function logBadge(x, log) {
  const state = log.frozen ? "frozen" : log.state;
  return badge(LOG_TONES[state] ?? "note", x.label("log_state", state));
}

const STATUS_TONES = {
  active: "good", registered: "good", status_granted: "good",
  planned: "wait", applied: "wait", forming: "wait",
  suspended: "warn", sporadic: "warn", uncertain: "warn", dormant: "warn",
  expired: "bad", ceased: "bad", deleted: "bad", ended: "bad",
};
// of an entity or a network; null is unknown
export function statusBadge(x, status) {
  return badge(STATUS_TONES[status] ?? "note", x.label("status", status));
}

// Text that says "unknown" quietly.
export function unknown(x) {
  return html`<span class="unknown">${x.t("common.unknown")}</span>`;
}
