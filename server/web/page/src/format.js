// Numbers, dates and plural forms as people of either language read them. Pure: no page, no clock.

const LOCALES = { pl: "pl-PL", en: "en-GB" };
const ZONE = "Europe/Warsaw"; // the register's days are Poland's, wherever the reader is
const made = new Map();

function intl(Kind, lang, options) {
  const key = `${Kind.name} ${lang} ${JSON.stringify(options ?? null)}`;
  if (!made.has(key)) made.set(key, new Kind(LOCALES[lang], options));
  return made.get(key);
}

// forms: { one, few, many, other } (Polish), { one, other } (English)
export function plural(lang, forms, n) {
  return forms[intl(Intl.PluralRules, lang).select(n)] ?? forms.other ?? forms.many;
}

export function formatNumber(lang, n) {
  return intl(Intl.NumberFormat, lang).format(n);
}

// A figure as it was stated: its digits are kept ("74.50" stays with two), only the marks change.
export function formatFigure(lang, text) {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign, whole, fraction] = match;
  const gap = lang === "pl" ? "\u00a0" : ",";
  const short = lang === "pl" && whole.length < 5; // Polish leaves four digits together
  const grouped = short ? whole : whole.replace(/\B(?=(\d{3})+$)/g, gap);
  const mark = lang === "pl" ? "," : ".";
  return `${sign ? "−" : ""}${grouped}${fraction ? mark + fraction : ""}`;
}

// Whole percent, but never 0% of something or 100% of not all; null: there is nothing to be a share of.
export function percent(part, base) {
  if (!base) return null;
  const rounded = Math.round((100 * part) / base);
  if (rounded === 0 && part > 0) return 1;
  if (rounded === 100 && part < base) return 99;
  return rounded;
}

const MONTHS = {
  pl: ["styczeń", "luty", "marzec", "kwiecień", "maj", "czerwiec", "lipiec", "sierpień", "wrzesień", "październik", "listopad", "grudzień"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};

// "2019-06-04", "2019-06" or "2019"; anything else is shown as it stands.
export function formatDate(lang, text) {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text ?? "");
  if (!match) return text ?? "";
  const [, year, month, day] = match;
  if (!month) return year;
  const name = MONTHS[lang][Number(month) - 1];
  if (!name) return text;
  if (!day) return `${name} ${year}`;
  return lang === "pl" ? `${Number(day)}.${month}.${year}` : `${Number(day)} ${name.slice(0, 3)} ${year}`;
}

// A UTC time, in Warsaw: "22.11.2026, 05:30"
export function formatTime(lang, text, { seconds = false } = {}) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return String(text ?? "");
  return `${formatDate(lang, warsawDay(date))}, ${formatClock(lang, date, { seconds })}`;
}

export function formatClock(lang, date, { seconds = false } = {}) {
  const options = { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (seconds) options.second = "2-digit";
  return intl(Intl.DateTimeFormat, lang, options).format(date);
}

// "2026-11-22": the day in Warsaw that a moment belongs to
export function warsawDay(date) {
  const options = { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit" };
  const parts = Object.fromEntries(intl(Intl.DateTimeFormat, "en", options).formatToParts(date).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

// "3 minuty temu" of a span in milliseconds
export function formatAgo(lang, ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [unit, size] = STEPS.find(([, length]) => seconds >= length) ?? STEPS[3];
  return intl(Intl.RelativeTimeFormat, lang, { numeric: "always" }).format(-Math.floor(seconds / size), unit);
}

export function formatBytes(lang, n) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${intl(Intl.NumberFormat, lang, { maximumFractionDigits: unit ? 1 : 0 }).format(value)} ${units[unit]}`;
}

export function collator(lang) {
  return intl(Intl.Collator, lang, { numeric: true });
}
