// Every page in both languages: named and without a fault; what WCAG's rules, narrow windows and either colour
// scheme ask of it; and how it looked, kept as pictures.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PAGES, SCHEMES, WIDTHS, address, ready, tooWide } from "../rig.mjs";

const HEIGHT = 900;
const ZOOMED = { width: 320, height: 256 }; // 1280 by 1024 at 400%

// Where nothing is, the browser itself notes the answers to the page's own questions.
const expected = (name, faults) =>
  name === "notfound" ? faults.filter((fault) => !/status of 40[04] .*\/api\/v1\/.*99/.test(fault)) : faults;

async function named(page, name, language) {
  const now = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll("h1")].map((h1) => h1.textContent.trim()),
    text: document.querySelector("main").innerText,
    landmarks: ["header", "nav", "main", "footer"].filter((tag) => document.querySelector(tag)),
  }));
  assert.equal(now.lang, language);
  assert.equal(now.headings.length, 1);
  assert.ok(now.headings[0].length > 2, "the first heading says something");
  assert.match(now.title, language === "pl" ? /Rejestr CIS i KIS$/ : /Register of CIS and KIS$/);
  if (name !== "overview") assert.ok(now.title.startsWith(now.headings[0]), `"${now.title}" begins with "${now.headings[0]}"`);
  assert.deepEqual(now.landmarks, ["header", "nav", "main", "footer"]);
  assert.ok(now.text.length > 80, "the page has content");
  assert.doesNotMatch(now.text, /undefined|NaN|\[object/);
  return now.text;
}

async function everyLook(rig, page, name) {
  const found = [];
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      await ready(page);
      const broken = [...(await rig.axe(page, { colours: scheme === "dark" })), ...(await tooWide(page))];
      found.push(...broken.map((what) => `${width} ${scheme}: ${what}`));
      await rig.shot(page, `${name}-${width}-${scheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(found, []);
}

// At 400% a page stands in one column, and nothing that stays in place covers half of the window.
async function zoomed(page) {
  await page.setViewportSize(ZOOMED);
  await ready(page);
  assert.deepEqual(await tooWide(page), []);
  const { heading, stuck } = await page.evaluate(() => {
    const fixed = [...document.querySelectorAll("body *")].filter((e) => ["fixed", "sticky"].includes(getComputedStyle(e).position));
    const tall = fixed.filter((e) => !e.closest(".table-scroll") && e.checkVisibility() && e.getBoundingClientRect().height > innerHeight / 2);
    return { heading: document.querySelector("h1").getBoundingClientRect().width, stuck: tall.map((e) => e.className) };
  });
  assert.ok(heading > 0 && heading <= ZOOMED.width);
  assert.deepEqual(stuck, []);
}

export default function (rig) {
  describe("every page", { concurrency: 2 }, () => {
    for (const [name, path] of Object.entries(PAGES))
      it(`${name}: titled in both languages, no console error, no breach of the policy, no foreign request; axe finds nothing at three widths in both colour schemes; no scrolling sideways, also at 400%`, () =>
        rig.lend(async (page) => {
          await page.setViewportSize({ width: 1280, height: HEIGHT });
          await rig.go(page, path);
          const polish = await named(page, name, "pl");
          await everyLook(rig, page, name);
          await zoomed(page);
          await page.setViewportSize({ width: 1280, height: HEIGHT });
          await rig.go(page, address("en", path));
          assert.notEqual(await named(page, name, "en"), polish, "the languages differ");
          assert.deepEqual(await rig.axe(page), []);
          await rig.shot(page, `${name}-en`);
          assert.deepEqual(expected(name, page.faults), []);
        }));

    it("nothing moves where less motion is asked for", () =>
      rig.lend(async (page) => {
        await rig.go(page, "/");
        assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
      }));
  });
}
