// Figures that somebody stated: their precision, and what they are a part of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../../../server/web/page/src/i18n.js";
import { baseOf, claimFigure } from "../../../server/web/page/src/ui/figures.js";

const x = words("pl");
const claim = (measure, as_of, value, more = {}) => ({
  kind: "CIS", measure, as_of, value, value_max: null, unit: "count", qualifier: "exact", reported_by: "SIRES", ...more,
});

test("a figure says how precise it is", () => {
  const figure = (qualifier, value, more) => claimFigure(x, { qualifier, value, value_max: null, unit: "count", ...more });
  assert.equal(figure("exact", "6"), "6");
  assert.equal(figure("approx", "6"), "około 6");
  assert.equal(figure("claimed", "0"), "0 według oświadczenia");
  assert.equal(figure("gt", "70", { unit: "percent" }), "ponad 70%");
  assert.equal(figure("range", "15", { value_max: "20" }), "15–20");
  assert.equal(figure(null, "4"), "4");
});

test("a part has for its base what its reporter counted on that day, and nothing else", () => {
  const claims = [claim("active_count", "2017-12-31", "12"), claim("active_count", "2019-07-04", "17"), claim("active_count", "2018", "5", { reported_by: "UW" })];
  const base = (as_of, value, more) => baseOf(claims, claim("meeting_participants", as_of, value, more));
  assert.equal(base("2017-12-31", "11"), 12);
  assert.equal(base("2019-07-04", "11"), 17);
  assert.equal(base("2018", "1"), null, "another reporter's");
  assert.equal(base("2019-07-04", "11", { kind: "KIS" }), null);
  assert.equal(base("2019-07-04", "18"), null, "more than there are is no part");
  assert.equal(base("2019-07-04", "11", { unit: "persons" }), null);
  assert.equal(base(null, "11"), null);
  assert.equal(baseOf(claims, claim("new_count", "2019-07-04", "5")), null, "new ones are no share");
});
