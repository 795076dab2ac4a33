// What lists and records of the page work out without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeColumns } from "../../../server/web/page/src/columns.js";
import { words } from "../../../server/web/page/src/i18n.js";
import { claimFigure } from "../../../server/web/page/src/ui/figures.js";
import { lookUp } from "../../../server/web/page/src/ui/lookup.js";
import { apiAddress, filtersOf, UNKNOWN } from "../../../server/web/page/src/ui/query.js";
import { recordTitle } from "../../../server/web/page/src/ui/titles.js";

const columns = makeColumns({
  kinds: [{ name: "entity", columns: ["status", "place", "verified_on"].map((name) => ({ name, label_pl: name, label_en: name })) }],
});
const filters = (text) => filtersOf(new URLSearchParams(text), columns, "entity");
const pl = words("pl");
const en = words("en");

test("an address' filters are those on columns of the kind", () => {
  assert.deepEqual(filters("q=kielce&sort=name&cursor=x&list=operators&as_of=2026-11-01&nothing=1"), []);
  assert.deepEqual(filters("status=active&status=planned&verified_on.to=2025"), [
    { name: "status", field: "status", condition: "is", values: ["active", "planned"] },
    { name: "verified_on.to", field: "verified_on", condition: "to", values: ["2025"] },
  ]);
  assert.deepEqual(filters("status.like=a&place.starts=Ki").map(({ name }) => name), ["place.starts"]);
});

test("unknown is asked for as the empty value, which other parameters leave out", () => {
  const asked = apiAddress("entities.csv", filters(`status=${UNKNOWN}&status=active`), { q: "", sort: "-name", cursor: null }, "2026-11-01");
  assert.equal(asked, "/api/v1/entities.csv?status=&status=active&sort=-name&as_of=2026-11-01");
  assert.equal(apiAddress("networks", []), "/api/v1/networks");
});

test("a figure says how precise it is, and of what", () => {
  const figure = (x, more) => claimFigure(x, { value: "9", value_max: null, qualifier: "exact", unit: "count", ...more });
  assert.equal(figure(pl, {}), "9");
  assert.equal(figure(pl, { qualifier: null }), "9");
  assert.equal(figure(pl, { qualifier: "approx" }), "około 9");
  assert.equal(figure(en, { value: "15", value_max: "20", qualifier: "range", unit: "persons" }), "15–20");
  assert.equal(figure(pl, { value: "49.0", unit: "percent" }), "49,0%");
  assert.equal(figure(pl, { value: "60600.00", unit: "PLN" }), "60\u00a0600,00\u00a0zł");
});

test("figures and memberships are called by what they say, other records by their names", () => {
  const figure = { kind: "CIS", measure: "active_count", value: "11", value_max: null, qualifier: "exact", unit: "count", reported_by: "UW" };
  assert.equal(recordTitle(pl, { kind: "statistic", record: figure, title: "st-1" }), "CIS – działające: 11 (UW)");
  assert.equal(recordTitle(en, { kind: "statistic", record: { ...figure, kind: null }, title: "st-1" }), "all kinds – active: 11 (UW)");
  const membership = { kind: "membership", record: { network_id: "n", entity_id: "e", operator_id: null }, title: "n--e" };
  assert.equal(recordTitle(en, membership, (field) => ({ entity_id: "KIS Bilcza" })[field] ?? null), "KIS Bilcza: membership of n");
  assert.equal(recordTitle(pl, { kind: "entity", record: { name: "x" }, title: "KIS Bilcza" }), "KIS Bilcza");
  assert.equal(recordTitle(pl, { kind: "statistic", record: null, title: "st-1" }), "st-1");
});

test("records are looked up sixty at a time, each once, and what nothing has is not among them", async () => {
  const asked = [];
  const follow = async (address) => {
    const ids = new URL(address, "http://x").searchParams.getAll("id");
    asked.push(ids.length);
    return { records: ids.filter((id) => id !== "i7").map((id) => ({ id })) };
  };
  const ids = Array.from({ length: 130 }, (_, i) => `i${i}`);
  const found = await lookUp({ api: { follow }, asOf: null }, "entities", [...ids, ...ids, null]);
  assert.deepEqual(asked, [60, 60, 10]);
  assert.equal(found.size, 129);
  assert.equal(found.has("i7"), false);
  assert.equal((await lookUp({ api: { follow }, asOf: null }, "entities", [null])).size, 0);
});
