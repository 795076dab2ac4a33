// The past, on every page.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ready } from "../rig.mjs";

const ID = "pl26-kis-kielce-pestka";

export default function (rig) {
  describe("as of the past", () => {
    it("a position shows the record as it was, says so, and stays in force from page to page", async () => {
      await rig.nation.ctl("26", "put", "entity", ID, "other_facts=Przedtem", "--reason", "before", "--source", "note 3");
      await rig.nation.settle();
      const { position } = await (await fetch(`${rig.url}/api/v1/records/${ID}`)).json();
      await rig.nation.ctl("26", "put", "entity", ID, "other_facts=Potem", "--reason", "after", "--source", "note 3");
      await rig.nation.settle();

      const page = await rig.open(`/entity/${ID}?as_of=${position}`);
      const main = () => page.textContent("main");
      assert.match(await main(), /Przedtem/);
      assert.doesNotMatch(await main(), /Potem/);
      assert.match(await page.textContent(".banner-past"), new RegExp(String(position)));
      await rig.shot(page, "entity-past", false);
      await page.click('nav a[href^="/changes"]');
      await page.waitForSelector(".feed > li");
      await ready(page);
      assert.equal(new URL(page.url()).searchParams.get("as_of"), String(position));
      assert.match(await page.locator(".feed > li").first().textContent(), /Przedtem/);
      assert.equal(await page.locator("#pause").count(), 0, "the past does not go on");
      await page.click(".banner-past a");
      await page.waitForFunction(() => /Potem/.test(document.querySelector(".feed > li").textContent));
      assert.equal(await page.locator(".banner-past").count(), 0);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("a change's link to its entry shows the register right after it", async () => {
      const page = await rig.open("/changes?region=26");
      const second = page.locator(".feed > li").nth(1);
      const words = await second.locator(".feed-why").textContent();
      await second.locator(".feed-links a").first().click();
      await page.waitForSelector(".banner-past");
      await ready(page);
      assert.equal(await page.locator(".feed > li").first().locator(".feed-why").textContent(), words);
      await page.context().close();
    });

    it("a day that is not over yet is not called the past, in an address that was typed by hand", async () => {
      const today = new Date().toLocaleDateString("sv-SE", { timeZone: "Europe/Warsaw" });
      for (const [path, words] of [[`/?as_of=${today}`, /jeszcze nie nadeszła/], ["/en/?as_of=2999-01-01T00:00:00Z", /yet to come/]]) {
        const page = await rig.open(path);
        assert.match(await page.textContent(".banner-past"), words, path);
        assert.doesNotMatch(await page.textContent("body"), /przeszłości|shows the past/, path);
        await page.context().close();
      }
    });

    it("a day before the register began is empty on every page: no records, never 0, no fault", async () => {
      const page = await rig.open("/?as_of=2001-01-01");
      await page.waitForSelector(".banner-past");
      assert.match(await page.textContent("main"), /brak wpisów/);
      for (const path of ["/entities", "/networks", "/changes", "/quality", "/region/26"]) {
        await rig.go(page, `${path}?as_of=2001-01-01`);
        assert.equal(await page.locator(".banner-past").count(), 1, path);
        assert.deepEqual(await rig.axe(page), [], path);
        await rig.shot(page, `empty${path.replaceAll("/", "-")}`);
      }
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });
  });
}
