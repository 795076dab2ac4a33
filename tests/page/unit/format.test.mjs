// Numbers, dates and plural forms as people of either language read them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../../server/web/page/src/format.js";

const NBSP = "\u00a0";

test("polish plural forms follow the last digits", () => {
  const forms = { one: "klub", few: "kluby", many: "klubów", other: "klubu" };
  const of = (n) => format.plural("pl", forms, n);
  assert.deepEqual([1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 102, 112].map(of), [
    "klub", "kluby", "kluby", "klubów", "klubów", "klubów", "klubów", "klubów", "kluby", "klubów", "kluby", "klubów",
  ]);
  assert.equal(of(0), "klubów");
  assert.equal(of(1.5), "klubu");
});

test("english plural forms are two", () => {
  const of = (n) => format.plural("en", { one: "club", other: "clubs" }, n);
  assert.deepEqual([0, 1, 2, 21].map(of), ["clubs", "club", "clubs", "clubs"]);
});

test("a stated figure keeps its digits and gets its language's marks", () => {
  assert.equal(format.formatFigure("pl", "74.50"), "74,50");
  assert.equal(format.formatFigure("en", "74.50"), "74.50");
  assert.equal(format.formatFigure("pl", "1234"), "1234");
  assert.equal(format.formatFigure("pl", "12345"), `12${NBSP}345`);
  assert.equal(format.formatFigure("en", "1234567.5"), "1,234,567.5");
  assert.equal(format.formatFigure("pl", "-3"), "−3");
  assert.equal(format.formatFigure("pl", "0"), "0");
});

test("what is no figure is shown as it stands", () => {
  for (const text of ["około 6", "1e3", "", "--1"]) assert.equal(format.formatFigure("pl", text), text);
});

test("a part is never rounded to nothing nor to the whole", () => {
  assert.equal(format.percent(1, 1000), 1);
  assert.equal(format.percent(999, 1000), 99);
  assert.equal(format.percent(0, 5), 0);
  assert.equal(format.percent(5, 5), 100);
  assert.equal(format.percent(29, 166), 17);
  assert.equal(format.percent(0, 0), null);
});

test("dates are written in the language's way, and reduced ones stay reduced", () => {
  assert.equal(format.formatDate("pl", "2019-07-04"), "4.07.2019");
  assert.equal(format.formatDate("pl", "2016-03"), "marzec 2016");
  assert.equal(format.formatDate("pl", "2009"), "2009");
  assert.equal(format.formatDate("en", "2019-07-04"), "4 Jul 2019");
  assert.equal(format.formatDate("en", "2016-03"), "March 2016");
});

test("what is no date is shown as it stands", () => {
  for (const text of ["2019-13", "wiosna 2019", "2019-7-4"]) assert.equal(format.formatDate("pl", text), text);
  assert.equal(format.formatDate("pl", null), "");
});

test("moments are told in Warsaw's time, in winter and in summer", () => {
  assert.equal(format.formatTime("pl", "2026-11-22T04:30:00.123Z"), "22.11.2026, 05:30");
  assert.equal(format.formatTime("en", "2026-07-01T22:15:07Z", { seconds: true }), "2 Jul 2026, 00:15:07");
  assert.equal(format.warsawDay(new Date("2026-12-31T23:30:00Z")), "2027-01-01");
});

test("spans are told in their greatest unit", () => {
  assert.equal(format.formatAgo("pl", 5400), "5 sekund temu");
  assert.equal(format.formatAgo("pl", 3 * 60000), "3 minuty temu");
  assert.equal(format.formatAgo("en", 26 * 3600000), "1 day ago");
  assert.equal(format.formatAgo("en", -400), "0 seconds ago");
});

test("sizes are told in the unit that fits", () => {
  assert.equal(format.formatBytes("pl", 512), "512 B");
  assert.equal(format.formatBytes("pl", 1536), "1,5 KiB");
  assert.equal(format.formatBytes("en", 3 * 1024 * 1024), "3 MiB");
});

test("names are sorted as a Pole sorts them", () => {
  const names = ["śląskie", "świętokrzyskie", "łódzkie", "zachodniopomorskie", "lubuskie", "małopolskie", "podlaskie"];
  assert.deepEqual([...names].sort(format.collator("pl").compare), [
    "lubuskie", "łódzkie", "małopolskie", "podlaskie", "śląskie", "świętokrzyskie", "zachodniopomorskie",
  ]);
});
