// What the page says when what stands behind it is gone, and when it is back.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

const TIME = /\d{1,2}:\d{2}/;

export default function (rig) {
  describe("when it is gone", () => {
    it("a region's log that is frozen: an open page says so above and in its figures alike, until it goes on", async () => {
      const page = await rig.open("/trust");
      await page.waitForSelector(".live-live");
      const glance = (text) => page.waitForFunction((wanted) => document.querySelector(".glance").textContent.includes(wanted), text);
      await rig.nation.ctl("server", "freeze", "30", "--reason", "a key was lost");
      await page.waitForSelector(".banner-frozen");
      await glance("wielkopolskie");
      await glance("16 z 17 na bieżąco");
      assert.deepEqual(await rig.axe(page), []);
      await rig.shot(page, "frozen");
      await rig.nation.ctl("server", "release", "30", "--reason", "it was found");
      await page.waitForSelector(".banner-frozen", { state: "detached" });
      await page.context().close();
    });

    it("the national server: the page says since when its numbers are old, and that it is over", async () => {
      const page = await rig.open("/");
      await page.waitForSelector(".live-live");
      const before = await page.textContent("main");
      await rig.nation.kill("server");
      await page.waitForSelector(".banner-stale");
      assert.match(await page.textContent(".banner-stale"), TIME);
      assert.equal((await page.textContent("main")).length > before.length / 2, true, "the numbers stay");
      assert.deepEqual(await rig.axe(page), []);
      await rig.shot(page, "stale-server", false);
      await rig.nation.begin("server");
      await page.waitForSelector(".banner-stale", { state: "detached" });
      await page.context().close();
    });

    it("the page's own server: the banner says since when, the numbers stay, and all goes on once it is back", async () => {
      const page = await rig.open("/entities");
      await page.waitForSelector(".live-live");
      const rows = await page.locator("main tbody tr").count();
      await rig.nation.stop("web");
      await page.waitForSelector(".banner-lost");
      assert.match(await page.textContent(".banner-lost"), TIME);
      assert.equal(await page.locator("main tbody tr").count(), rows);
      assert.deepEqual(await rig.axe(page), []);
      await rig.shot(page, "stale-web", false);

      await page.click('nav a[href="/trust"]');
      await page.waitForSelector(".state-error");
      assert.deepEqual(await rig.axe(page), []);
      await rig.shot(page, "error-web", false);

      await rig.nation.begin("web");
      await page.waitForSelector(".banner-lost", { state: "detached" });
      await page.waitForSelector("#logs");
      await page.waitForSelector(".live-live");
      await page.context().close();
    });
  });
}
