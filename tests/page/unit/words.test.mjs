// The page says the same in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../../../server/web/page/src/i18n/en.js";
import pl from "../../../server/web/page/src/i18n/pl.js";
import { words } from "../../../server/web/page/src/i18n.js";

const PLURALS = { pl: ["one", "few", "many"], en: ["one", "other"] }; // of whole numbers
const holes = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const isPlural = (value) => typeof value === "object" && value !== null;
const forms = (value) => (isPlural(value) ? Object.values(value) : [value]);
const namespaces = Object.keys(pl).filter((name) => name !== "labels");

test("both languages have the same texts", () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(pl).sort());
  for (const name of namespaces) assert.deepEqual(Object.keys(en[name]).sort(), Object.keys(pl[name]).sort(), name);
});

test("both languages have the same labels of values", () => {
  assert.deepEqual(Object.keys(en.labels).sort(), Object.keys(pl.labels).sort());
  for (const field of Object.keys(pl.labels))
    assert.deepEqual(Object.keys(en.labels[field]).sort(), Object.keys(pl.labels[field]).sort(), field);
});

test("a text takes the same values in both languages, in every plural form", () => {
  for (const name of namespaces)
    for (const [key, value] of Object.entries(pl[name])) {
      const wanted = holes(forms(value).join(" ")).filter((hole) => hole !== "{n}");
      const other = holes(forms(en[name][key]).join(" ")).filter((hole) => hole !== "{n}");
      assert.deepEqual(other, wanted, `${name}.${key}`);
    }
});

test("every text with plural forms has all that its language knows", () => {
  for (const [lang, texts] of Object.entries({ pl, en }))
    for (const name of namespaces)
      for (const [key, value] of Object.entries(texts[name]))
        if (isPlural(value)) for (const form of PLURALS[lang]) assert.ok(value[form], `${lang} ${name}.${key}: ${form}`);
});

test("values are put into a text, numbers in the language's way", () => {
  const { t, rich } = words("pl");
  assert.equal(t("common.of", { part: "3", base: "9" }), "3 z 9");
  assert.equal(t("common.shown_of", { shown: 50, n: 12345 }), "50 z 12\u00a0345 wpisów");
  const mark = { template: true };
  assert.deepEqual(rich("common.as_of_date", { date: mark }).filter((part) => part !== ""), ["stan na ", mark]);
});

test("unknown is said, never shown as nothing or as zero", () => {
  for (const lang of ["pl", "en"]) {
    const x = words(lang);
    const unknown = x.t("common.unknown");
    for (const say of [x.number, x.figure, x.date, x.time]) assert.equal(say(null), unknown);
    assert.equal(x.label("status", null), unknown);
    assert.equal(x.label("status", ""), unknown);
    assert.equal(x.share(0, 0), x.t("common.no_base"));
  }
  assert.equal(words("pl").number(0), "0");
});

test("an allowed value that has no words yet is shown as it is stored", () => {
  assert.equal(words("pl").label("status", "brand_new"), "brand_new");
  assert.equal(words("pl").label("ksr_pilot", "true"), "tak");
});
