// Finding records: search, facets, pages; all of it in the address.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ready } from "../rig.mjs";

const hits = (page) => page.textContent(".hits");
const names = (page) => page.locator("main tbody th").allTextContents();
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.name || document.activeElement.tagName);
const query = (page) => new URL(page.url()).searchParams;
const until = (page, test, value) => page.waitForFunction(test, value);
const total = async (rig, text) => (await (await fetch(`${rig.url}/api/v1/entities?limit=1&${text}`)).json()).total;

export default function (rig) {
  describe("lists", () => {
    it("typing searches, the focus stays, the number of hits is announced, the address repeats it", async () => {
      const page = await rig.open("/entities");
      assert.equal(await page.getAttribute(".hits", "role"), "status");
      await page.focus("#q");
      await page.keyboard.type("KIELC", { delay: 30 });
      await until(page, () => location.search === "?q=KIELC");
      await ready(page);
      assert.match(await hits(page), new RegExp(`^Znaleziono ${await total(rig, "q=kielc")} wpis`));
      assert.equal(await focused(page), "q");
      const found = await names(page);
      await page.keyboard.type("!", { delay: 30 });
      await until(page, () => location.search.endsWith("%21"));
      await page.goBack();
      await ready(page);
      assert.equal(await page.inputValue("#q"), "", "letters after the first are no steps of their own");
      const other = await rig.open("/entities?q=KIELC");
      assert.deepEqual(await names(other), found);
      assert.deepEqual(page.faults, []);
      await other.context().close();
      await page.context().close();
    });

    it("values are ticked, unknown as well, and taken off again", async () => {
      const page = await rig.open("/entities");
      await page.check('input[name="operator_form"][value="-"]');
      await until(page, () => location.search.includes("operator_form"));
      await ready(page);
      assert.match(await hits(page), new RegExp(` ${await total(rig, "operator_form=")} `));
      assert.equal(await focused(page), "operator_form");
      await page.check('input[name="kind"][value="CIS"]');
      await until(page, () => location.search.includes("kind=CIS"));
      await ready(page);
      assert.match(await hits(page), new RegExp(` ${await total(rig, "operator_form=&kind=CIS")} `));
      const other = await rig.open(new URL(page.url()).pathname + new URL(page.url()).search);
      assert.deepEqual(await names(other), await names(page));
      assert.ok(await other.isChecked('input[name="operator_form"][value="-"]'));
      await page.click(".chips li:first-child a");
      await until(page, () => !location.search.includes("operator_form"));
      await ready(page);
      await until(page, () => document.activeElement.id === "results");
      assert.equal(query(page).get("kind"), "CIS");
      assert.deepEqual(page.faults, []);
      await other.context().close();
      await page.context().close();
    });

    it("pages lead on and back without repeating or leaving out; the focus is at their beginning", async () => {
      const page = await rig.open("/entities");
      const first = await names(page);
      await page.click('.pager a[rel="next"]');
      await until(page, () => location.search.includes("cursor") && document.activeElement.id === "results");
      const second = await names(page);
      assert.equal(new Set([...first, ...second]).size, await total(rig, ""));
      await page.click('.pager a[rel="prev"]');
      await until(page, () => !location.search.includes("cursor") && document.activeElement.id === "results");
      assert.deepEqual(await names(page), first);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("nothing found says what to do; a filter that is none can be left", async () => {
      const page = await rig.open("/entities?q=qqqq&kind=CIS");
      assert.equal(await hits(page), "Nic nie znaleziono");
      assert.equal(await page.locator(".state-empty li").count(), 3);
      await page.click(".chips-clear a");
      await until(page, () => location.search === "");
      await ready(page);
      assert.match(await hits(page), /^Znaleziono/);
      await page.context().close();
      const odd = await rig.open("/entities?verified_on.from=yesterday");
      await odd.click(".state-empty a");
      await ready(odd);
      assert.match(await hits(odd), /^Znaleziono/);
      await odd.context().close();
    });

    it("filters are folded on a narrow screen, and the page never scrolls sideways", async () => {
      const page = await rig.open("/entities?region=26", { width: 320 });
      const button = page.locator(".filters-toggle");
      assert.equal(await button.getAttribute("aria-expanded"), "false");
      assert.equal(await page.locator(".facet").first().isVisible(), false);
      await button.click();
      assert.equal(await button.getAttribute("aria-expanded"), "true");
      assert.ok(await page.locator(".facet").first().isVisible());
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await page.context().close();
    });

    it("memberships in the feed are called by the names of both", async () => {
      const page = await rig.open("/changes?region=22&kind=membership");
      await page.waitForSelector(".feed a");
      const titles = await page.locator(".feed h3, .feed h4").allTextContents();
      assert.ok(titles.some((title) => /KIS Rumia – członkostwo: Konwent Pomorskich/.test(title)), titles.join("; "));
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("networks stand by region with what is stated and what is recorded, and how many centres they cover", async () => {
      const page = await rig.open("/networks?region=22");
      const text = (await page.textContent("main table")).replace(/\s+/g, " ");
      assert.match(text, /W sieciach województwa: CIS 7 z 7 \(100%\), KIS 3 z 3 \(100%\)/);
      assert.equal(await page.locator("main tbody tr:not(.region-row)").count(), 2);
      const row = page.locator("main tbody tr", { hasText: "Konwent Pomorskich" });
      assert.deepEqual((await row.locator("td").allTextContents()).slice(3, 5).map((cell) => cell.trim()), ["KIS\u00a03wszystkie CIS", "10"]);
      await rig.go(page, "/networks?region=20");
      const rough = await page.locator("main tbody tr:not(.region-row) td").allTextContents();
      assert.equal(rough[3].trim(), "około 7CIS\u00a06, KIS\u00a01");
      await page.context().close();
    });
  });
}
