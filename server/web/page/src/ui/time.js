// Dates and times that machines can read too.
import { html } from "lit-html";
import { unknown } from "./badge.js";

// a register date, maybe reduced to a month or a year
export function day(x, text) {
  return text ? html`<time datetime=${text}>${x.date(text)}</time>` : unknown(x);
}

export function moment(x, text, options) {
  return text ? html`<time datetime=${text}>${x.time(text, options)}</time>` : unknown(x);
}

// "3 minuty temu", the exact time as its title
export function ago(x, text) {
  if (!text) return unknown(x);
  return html`<time datetime=${text} title=${x.time(text, { seconds: true })}>${x.ago(Date.now() - Date.parse(text))}</time>`;
}
