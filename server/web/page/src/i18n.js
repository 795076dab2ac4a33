// The page's words.  t("overview.title", { n: 3 }) → text; a text with plural forms is chosen by `n`.
import en from "./i18n/en.js";
import pl from "./i18n/pl.js";
import * as format from "./format.js";

export const LANGUAGES = ["pl", "en"];
const TEXTS = { pl, en };
const HOLE = /\{(\w+)\}/;

function find(lang, key) {
  const dot = key.indexOf(".");
  return TEXTS[lang][key.slice(0, dot)]?.[key.slice(dot + 1)];
}

function choose(lang, key, values) {
  const text = find(lang, key);
  if (text === undefined) {
    console.error(`No text for "${key}" in ${lang}`);
    return key;
  }
  return typeof text === "string" ? text : format.plural(lang, text, Number(values.n));
}

// Everything that a view says in one language.
export function words(lang) {
  // The text around templates: an array of strings and of the values given, for lit-html.
  const rich = (key, values = {}) =>
    choose(lang, key, values)
      .split(HOLE)
      .map((part, i) => {
        if (i % 2 === 0) return part;
        const value = values[part];
        return typeof value === "number" ? format.formatNumber(lang, value) : (value ?? "");
      });
  const t = (key, values) => rich(key, values).join("");
  const has = (key) => find(lang, key) !== undefined;

  // What an allowed value of a column means: label("status", "active"); null is unknown.
  const label = (field, value) => {
    if (value === null || value === undefined || value === "") return t("common.unknown");
    return TEXTS[lang].labels[field]?.[value] ?? TEXTS[lang].labels.any[value] ?? String(value);
  };
  // A month or a year may stand for a date; null is unknown.
  const date = (text) => (text ? format.formatDate(lang, text) : t("common.unknown"));
  const share = (part, base) => {
    const whole = format.percent(part, base);
    return whole === null ? t("common.no_base") : `${format.formatNumber(lang, whole)}%`;
  };
  return {
    lang,
    t,
    rich,
    has,
    label,
    date,
    share,
    number: (n) => (n === null || n === undefined ? t("common.unknown") : format.formatNumber(lang, n)),
    figure: (text) => (text === null || text === undefined ? t("common.unknown") : format.formatFigure(lang, text)),
    time: (text, options) => (text ? format.formatTime(lang, text, options) : t("common.unknown")),
    clock: (moment, options) => format.formatClock(lang, moment, options),
    ago: (ms) => format.formatAgo(lang, ms),
    bytes: (n) => format.formatBytes(lang, n),
    collator: format.collator(lang),
  };
}
