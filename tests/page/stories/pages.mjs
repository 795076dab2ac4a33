// Every page, in both languages: there, named, and without a fault.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LANGUAGES, PAGES, address, ready } from "../rig.mjs";

// Where nothing is, the browser itself notes the answers to the page's own questions.
const expected = (name, faults) =>
  name === "notfound" ? faults.filter((fault) => !/status of 40[04] .*\/api\/v1\/.*99/.test(fault)) : faults;

const words = (page) =>
  page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll("h1")].map((h1) => h1.textContent.trim()),
    text: document.querySelector("main").innerText,
    landmarks: ["header", "nav", "main", "footer"].filter((name) => document.querySelector(name)),
  }));

export default function (rig) {
  describe("every page, in both languages", () => {
    for (const [name, path] of Object.entries(PAGES))
      it(`${name}: a title, one first heading, no console error, no breach of the policy, no foreign request`, async () => {
        const page = await rig.open();
        const said = {};
        for (const language of LANGUAGES) {
          await rig.go(page, address(language, path));
          const now = (said[language] = await words(page));
          assert.equal(now.lang, language);
          assert.equal(now.headings.length, 1);
          assert.ok(now.headings[0].length > 2, "the first heading says something");
          assert.match(now.title, language === "pl" ? /Rejestr CIS i KIS$/ : /Register of CIS and KIS$/);
          if (name !== "overview") assert.ok(now.title.startsWith(now.headings[0]), `"${now.title}" begins with "${now.headings[0]}"`);
          assert.deepEqual(now.landmarks, ["header", "nav", "main", "footer"]);
          assert.ok(now.text.length > 80, "the page has content");
          assert.doesNotMatch(now.text, /undefined|NaN|\[object/);
        }
        assert.notEqual(said.pl.text, said.en.text, "the languages differ");
        assert.deepEqual(expected(name, page.faults), []);
        await page.context().close();
      });

    it("a step from page to page neither loads the document anew nor loses the language", async () => {
      const page = await rig.open("/en/");
      await page.evaluate(() => (window.sameDocument = true));
      for (const path of ["/en/entities", "/en/networks", "/en/changes", "/en/quality", "/en/trust"]) {
        await page.click(`nav a[href="${path}"]`);
        await page.waitForFunction((want) => document.querySelector(`nav a[href="${want}"]`)?.getAttribute("aria-current") === "page", path);
        await ready(page);
        assert.equal(new URL(page.url()).pathname, path);
      }
      assert.equal(await page.evaluate(() => window.sameDocument), true);
      await page.goBack();
      await page.waitForFunction(() => document.querySelector('nav a[href="/en/quality"]')?.getAttribute("aria-current") === "page");
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("the other language shows the same place: path, filters, order and day", async () => {
      const page = await rig.open("/entities?kind=KIS&sort=-name");
      const there = await page.evaluate(() => document.querySelectorAll("main tbody tr").length);
      await page.click("a.language");
      await ready(page);
      const url = new URL(page.url());
      assert.equal(url.pathname, "/en/entities");
      assert.equal(url.searchParams.get("kind"), "KIS");
      assert.equal(url.searchParams.get("sort"), "-name");
      assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
      assert.equal(await page.evaluate(() => document.querySelectorAll("main tbody tr").length), there);
      await page.click("a.language");
      await page.waitForFunction(() => document.documentElement.lang === "pl");
      assert.equal(new URL(page.url()).pathname, "/entities");
      await page.context().close();
    });

    it("prints: content without navigation and buttons, tables whole", async () => {
      const page = await rig.open("/region/26");
      await page.emulateMedia({ media: "print" });
      const shown = await page.evaluate(() => ({
        nav: getComputedStyle(document.querySelector("header nav")).display,
        h1: getComputedStyle(document.querySelector("h1")).display,
        buttons: [...document.querySelectorAll("button")].filter((b) => b.checkVisibility()).length,
        cut: [...document.querySelectorAll(".table-scroll")].filter((e) => getComputedStyle(e).overflowX !== "visible").length,
      }));
      assert.deepEqual(shown, { nav: "none", h1: "block", buttons: 0, cut: 0 });
      const pdf = await page.pdf({ path: `${rig.shots}/print-region.pdf`, format: "A4" });
      assert.ok(pdf.length > 10000);
      await page.context().close();
    });
  });
}
