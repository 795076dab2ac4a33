// From page to page, from language to language, onto paper.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ready } from "../rig.mjs";

export default function (rig) {
  describe("pages", () => {
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

    it("what regions wrote in Polish is marked as Polish on an English page", async () => {
      const page = await rig.open("/en/network/pl20-net-siec");
      assert.match((await page.locator('main [lang="pl"]').allTextContents()).join(" "), /liczba nieznana/);
      await rig.go(page, "/network/pl20-net-siec");
      assert.equal(await page.locator("main [lang]").count(), 0);
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
      const from = page.locator("footer .print-only");
      assert.match(await from.textContent(), /\d{1,2}\.\d{2}\.\d{4}, \d{2}:\d{2}:\d{2}.*\/region\/26/);
      assert.equal(await from.isVisible(), true);
      await page.emulateMedia({ media: "screen" });
      assert.equal(await from.isVisible(), false);
      await page.emulateMedia({ media: "print" });
      const pdf = await page.pdf({ path: `${rig.shots}/print-region.pdf`, format: "A4" });
      assert.ok(pdf.length > 10000);
      await page.context().close();
    });
  });
}
