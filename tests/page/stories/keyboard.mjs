// The page without a mouse.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ready, tabTo } from "../rig.mjs";

const focus = (page) =>
  page.evaluate(() => {
    const e = document.activeElement;
    const style = getComputedStyle(e);
    return { id: e.id, tag: e.tagName.toLowerCase(), text: e.textContent.trim().slice(0, 60), outline: style.outlineStyle, in: e.closest("main, header, footer")?.tagName };
  });

export default function (rig) {
  describe("the keyboard alone", () => {
    it("the first Tab shows the link that skips the navigation, Enter goes to the content", async () => {
      const page = await rig.open("/quality");
      await page.keyboard.press("Tab");
      const box = await page.locator("a.skip").boundingBox();
      assert.ok(box.y >= 0, "the link is seen once it has the focus");
      await page.keyboard.press("Enter");
      assert.equal((await focus(page)).id, "main");
      await page.keyboard.press("Tab");
      assert.equal((await focus(page)).in, "MAIN");
      await page.context().close();
    });

    it("the navigation is reached and used; the new page's heading gets the focus", async () => {
      const page = await rig.open("/");
      await tabTo(page, 'nav a[href="/changes"]');
      assert.notEqual((await focus(page)).outline, "none", "the focus is seen");
      await page.keyboard.press("Enter");
      await page.waitForURL("**/changes");
      await ready(page);
      assert.equal((await focus(page)).tag, "h1");
      await page.context().close();
    });

    it("a region's tile leads to the region", async () => {
      const page = await rig.open("/");
      await tabTo(page, 'main a[href^="/region/26"]');
      await page.keyboard.press("Enter");
      await page.waitForURL("**/region/26*");
      await ready(page);
      assert.match((await focus(page)).text, /więtokrzyskie/);
      await page.context().close();
    });

    it("entities are searched and a column is sorted, the focus staying on its header", async () => {
      const page = await rig.open("/entities");
      await tabTo(page, 'main input[type="search"], main input[name="q"]');
      await page.keyboard.type("kielce");
      await page.keyboard.press("Enter");
      await page.waitForURL("**q=kielce*");
      await ready(page);
      const rows = await page.locator("main tbody tr").allTextContents();
      assert.ok(rows.length > 0 && rows.length < 20);
      await tabTo(page, "main th a.sort");
      const { text } = await focus(page);
      await page.keyboard.press("Enter");
      await page.waitForFunction((label) => [...document.querySelectorAll("th[aria-sort]")].some((th) => th.textContent.trim() === label), text);
      await ready(page);
      assert.equal((await focus(page)).text, text);
      await page.context().close();
    });

    it("the feed is filtered, paused and resumed", async () => {
      const page = await rig.open("/changes");
      await tabTo(page, "#f-region");
      const chosen = () => page.inputValue("#f-region");
      for (let i = 0; i < 20 && (await chosen()) !== "26"; i++) await page.keyboard.press("ArrowDown");
      await tabTo(page, ".feed-submit button");
      await page.keyboard.press("Enter");
      await page.waitForURL("**region=26*");
      await ready(page);
      const regions = await page.locator(".feed-what").allTextContents();
      assert.ok(regions.length > 0 && regions.every((text) => text.includes("świętokrzyskie")));
      await tabTo(page, "#pause");
      const live = (await focus(page)).text;
      await page.keyboard.press("Space");
      await page.waitForFunction((was) => document.getElementById("pause").textContent.trim() !== was, live);
      assert.equal((await focus(page)).id, "pause");
      await page.keyboard.press("Enter");
      await page.waitForFunction((was) => document.getElementById("pause").textContent.trim() === was, live);
      await page.context().close();
    });

    it("a wide table scrolls by the arrow keys within its own region", async () => {
      const page = await rig.open("/quality", { width: 320 });
      await tabTo(page, ".table-scroll");
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
      await page.context().close();
    });

    it("the day in the head of the page is typed and shown", async () => {
      const page = await rig.open("/quality");
      await tabTo(page, "#as-of");
      await page.fill("#as-of", "2001-01-01");
      await page.keyboard.press("Enter");
      await page.waitForURL("**as_of=2001-01-01*");
      await page.waitForSelector(".banner-past");
      await page.context().close();
    });
  });
}
