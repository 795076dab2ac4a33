// What the overview can show of a region: as a number to order and colour by, and as words. Pure.
import { percent } from "./format.js";
import { ageScale, countScale, lagScale, percentScale } from "./scale.js";

const DAY_MS = 86400000;

// Nothing recorded is not a count of nothing.
const recorded = (n) => n || null;
const inNetwork = (region) => region.membership.reduce((sum, row) => sum + row.in_network, 0);
const base = (region) => region.membership.reduce((sum, row) => sum + row.base, 0);

// Days from a register date, which may be a month or a year, to `now`; null: unknown.
export function ageDays(date, now) {
  if (!date) return null;
  const at = Date.parse(date.length === 4 ? `${date}-07-01` : date.length === 7 ? `${date}-15` : date);
  return Number.isNaN(at) ? null : Math.max(0, Math.floor((now - at) / DAY_MS));
}

const counting = (value) => ({
  value,
  main: (x, region) => x.number(value(region)),
  scale: (regions) => countScale(regions.map((region) => value(region) ?? 0)),
});

// value(region, now) → number or null; main and detail(x, region): the figure, and what it stands on
export const MEASURES = {
  both: { ...counting((region) => recorded(region.entities.CIS + region.entities.KIS)), kinds: ["CIS", "KIS"] },
  cis: { ...counting((region) => recorded(region.entities.CIS)), kinds: ["CIS"] },
  kis: { ...counting((region) => recorded(region.entities.KIS)), kinds: ["KIS"] },
  networks: counting((region) => recorded(region.networks)),
  membership: {
    value: (region) => (inNetwork(region) ? percent(inNetwork(region), base(region)) : null),
    main: (x, region) => x.share(inNetwork(region), base(region)),
    detail: (x, region) => x.t("overview.detail_membership", { part: inNetwork(region), base: base(region) }),
    scale: percentScale,
  },
  completeness: {
    value: (region) => (region.completeness.of ? percent(region.completeness.known, region.completeness.of) : null),
    main: (x, region) => x.share(region.completeness.known, region.completeness.of),
    detail: (x, region) => x.t("overview.detail_completeness", { part: region.completeness.known, base: region.completeness.of }),
    scale: percentScale,
  },
  freshness: {
    value: (region, now) => ageDays(region.freshness.median, now),
    main: (x, region) => x.date(region.freshness.median),
    detail: (x, region) => x.t("overview.detail_freshness", { part: region.freshness.known, base: region.freshness.of }),
    none: (region) => (region.freshness.of ? "overview.never_confirmed" : null),
    scale: ageScale,
  },
  lag: {
    value: (region) => region.log?.lag ?? null,
    main: (x, region) => x.number(region.log.lag),
    detail: (x, region) => x.label("log_state", region.log.frozen ? "frozen" : region.log.state),
    none: (region) => (region.log ? "overview.lag_unknown" : null),
    scale: lagScale,
  },
};

export const MEASURE_KEYS = Object.keys(MEASURES);

// What to show of a region under a measure: { step: 1..5 or 0 for none, main, detail }
export function reading(x, key, region, scale, now) {
  const measure = MEASURES[key];
  const value = measure.value(region, now);
  if (value === null) {
    const why = measure.none?.(region) ?? "common.none_recorded";
    return { step: 0, value, main: x.t(why), detail: null };
  }
  return { step: scale.step(value), value, main: measure.main(x, region), detail: measure.detail?.(x, region) ?? null };
}

// What each step of the colours means.
export function rangeText(x, key, [from, to]) {
  if (key === "freshness") {
    if (to === null) return x.t("overview.age_over");
    return x.t("overview.age_up_to", { n: Math.round(to / 30.5) });
  }
  const number = (n) => x.number(n);
  const unit = key === "membership" || key === "completeness" ? "%" : "";
  if (to === null) return x.t("overview.range_over", { from: number(from - 1) }) + unit;
  return from === to ? number(from) + unit : `${number(from)}–${number(to)}${unit}`;
}

const compare = (a, b) => (a > b) - (a < b);

// The newest claim of each reporter on each of the kinds, newest first.
export function newestClaims(stated, kinds) {
  const seen = new Set();
  return [...stated]
    .filter((claim) => kinds.includes(claim.kind))
    .sort((a, b) => compare(b.as_of ?? "", a.as_of ?? "") || compare(a.kind, b.kind))
    .filter((claim) => {
      const key = `${claim.kind} ${claim.measure} ${claim.reported_by}`;
      return !seen.has(key) && seen.add(key);
    });
}

// "ponad 70 CIS", "6–8 KIS", "0 KIS według oświadczenia"; `kind` may be left out
export function claimValue(x, claim, kind = "") {
  const value = claim.value_max ? `${x.figure(claim.value)}–${x.figure(claim.value_max)}` : x.figure(claim.value);
  const what = kind ? `${value} ${kind}` : value;
  const key = `overview.qualifier_${claim.qualifier}`;
  return x.has(key) ? x.t(key, { what }) : what;
}
