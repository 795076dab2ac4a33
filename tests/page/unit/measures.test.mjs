// What the overview says of a region, and the steps of its colours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../../../server/web/page/src/i18n.js";
import { ageDays, claimValue, MEASURES, newestClaims, rangeText, reading } from "../../../server/web/page/src/measures.js";
import { ageScale, countScale, lagScale, percentScale } from "../../../server/web/page/src/scale.js";

const x = words("pl");
const NOW = Date.parse("2026-11-22T12:00:00Z");

const bare = {
  region: "20",
  entities: { all: 0, CIS: 0, KIS: 0, WTZ: 0, ZAZ: 0 },
  networks: 0,
  membership: [{ kind: "CIS", in_network: 0, base: 0 }, { kind: "KIS", in_network: 0, base: 0 }],
  completeness: { known: 0, of: 0 },
  freshness: { of: 0, known: 0, median: null },
  log: null,
};
const full = {
  ...bare,
  region: "26",
  entities: { all: 9, CIS: 0, KIS: 9, WTZ: 0, ZAZ: 0 },
  networks: 2,
  membership: [{ kind: "CIS", in_network: 0, base: 0 }, { kind: "KIS", in_network: 3, base: 9 }],
  completeness: { known: 45, of: 54 },
  freshness: { of: 9, known: 3, median: "2026-08-22" },
  log: { lag: 0, state: "live" },
};

test("nothing recorded is said in words under every measure, never as zero", () => {
  for (const [key, measure] of Object.entries(MEASURES)) {
    const read = reading(x, key, bare, measure.scale([bare, full]), NOW);
    assert.equal(read.step, 0, key);
    assert.equal(read.value, null, key);
    assert.doesNotMatch(read.main, /\d/, key);
  }
  assert.equal(reading(x, "cis", full, countScale([9]), NOW).main, "brak wpisów");
});

test("what is recorded is shown with its base", () => {
  const main = (key) => {
    const { main, detail } = reading(x, key, full, MEASURES[key].scale([bare, full]), NOW);
    return [main, detail];
  };
  assert.deepEqual(main("both"), ["9", null]);
  assert.deepEqual(main("membership"), ["33%", "3 z 9 CIS i KIS"]);
  assert.deepEqual(main("completeness"), ["83%", "45 z 54 pól"]);
  assert.deepEqual(main("freshness"), ["22.08.2026", "potwierdzone 3 z 9"]);
  assert.deepEqual(main("lag"), ["0", "na bieżąco"]);
});

test("no recorded membership does not say that nobody is a member", () => {
  const region = { ...full, membership: [{ kind: "KIS", in_network: 0, base: 9 }] };
  assert.equal(reading(x, "membership", region, percentScale(), NOW).main, "brak wpisów");
});

test("records that nobody ever confirmed are said to be so", () => {
  const region = { ...full, freshness: { of: 9, known: 0, median: null } };
  assert.equal(reading(x, "freshness", region, ageScale(), NOW).main, "nigdy nie potwierdzono");
});

test("the ranges of counts hold every count once, without gaps", () => {
  for (const greatest of [0, 1, 3, 5, 7, 11, 22, 50, 51, 63, 219, 1000, 4711, 100000]) {
    const { ranges, step } = countScale([greatest, 1]);
    assert.equal(ranges.length, 5);
    assert.equal(ranges[0][0], 1);
    for (let i = 1; i < 5; i++) assert.equal(ranges[i][0], ranges[i - 1][1] + 1, `${greatest}: ${ranges}`);
    assert.ok(ranges[4][1] >= greatest, `${greatest}: ${ranges}`);
    ranges.forEach(([from, to], i) => assert.deepEqual([step(from), step(to)], [i + 1, i + 1], `${greatest}: ${ranges}`));
  }
});

test("shares, lags and ages fall into their steps", () => {
  assert.deepEqual([0, 19, 20, 79, 80, 100].map(percentScale().step), [1, 1, 2, 4, 5, 5]);
  assert.deepEqual([0, 1, 10, 11, 1000, 1001].map(lagScale().step), [1, 2, 2, 3, 4, 5]);
  assert.deepEqual([0, 91, 92, 365, 366, 730, 731, 9999].map(ageScale().step), [5, 5, 4, 3, 2, 2, 1, 1]);
});

test("the legend says each range in words", () => {
  assert.deepEqual(percentScale().ranges.map((range) => rangeText(x, "membership", range)), ["0–19%", "20–39%", "40–59%", "60–79%", "80–100%"]);
  assert.deepEqual(lagScale().ranges.map((range) => rangeText(x, "lag", range)), ["0", "1–10", "11–100", "101–1000", "ponad 1000"]);
  assert.deepEqual(ageScale().ranges.map((range) => rangeText(x, "freshness", range)), [
    "ponad 2 lata", "do 24 miesięcy", "do 12 miesięcy", "do 6 miesięcy", "do 3 miesięcy",
  ]);
});

test("a date may be a month or a year, and then lies in its middle", () => {
  assert.equal(ageDays("2026-11-20", NOW), 2);
  assert.equal(ageDays("2026-10", NOW), 38);
  assert.equal(ageDays("2025", NOW), 509);
  assert.equal(ageDays("2027-01-01", NOW), 0);
  assert.equal(ageDays(null, NOW), null);
});

test("of each reporter the newest claim is shown, all reporters side by side", () => {
  const claim = (kind, as_of, reported_by, value) => ({ kind, as_of, reported_by, value, value_max: null, qualifier: "exact", measure: "active_count" });
  const stated = [
    claim("CIS", "2017-12-31", "SIRES", "12"),
    claim("KIS", "2019-07-04", "SIRES", "11"),
    claim("CIS", "2019-07-04", "SIRES", "17"),
    claim("CIS", "2016-11-28", "UW", "15"),
    claim("CIS", null, "ktoś", "3"),
  ];
  assert.deepEqual(newestClaims(stated, ["CIS", "KIS"]).map(({ value }) => value), ["17", "11", "15", "3"]);
  assert.deepEqual(newestClaims(stated, ["KIS"]).map(({ value }) => value), ["11"]);
});

test("a claim says how sure its number is", () => {
  const claim = (qualifier, value, value_max = null) => claimValue(x, { qualifier, value, value_max }, "CIS");
  assert.equal(claim("exact", "6"), "6 CIS");
  assert.equal(claim("approx", "20"), "około 20 CIS");
  assert.equal(claim("gt", "70"), "ponad 70 CIS");
  assert.equal(claim("range", "6", "8"), "6–8 CIS");
  assert.equal(claim("claimed", "0"), "0 CIS według oświadczenia");
  assert.equal(claim(null, "4"), "4 CIS");
});
