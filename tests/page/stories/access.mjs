// What WCAG's rules and a narrow window ask of every page; and how it looked, kept as pictures.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PAGES, SCHEMES, WIDTHS, address, ready, tooWide } from "../rig.mjs";

const HEIGHT = 900;

export default function (rig) {
  describe("accessibility", { concurrency: 2 }, () => {
    for (const [name, path] of Object.entries(PAGES))
      it(`${name}: axe finds nothing at three widths and in both colour schemes, nothing scrolls sideways`, async () => {
        const page = await rig.open(path);
        const found = [];
        for (const scheme of SCHEMES) {
          await page.emulateMedia({ colorScheme: scheme });
          for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: HEIGHT });
            await ready(page);
            for (const broken of await rig.axe(page)) found.push(`${width} ${scheme}: ${broken}`);
            for (const wide of await tooWide(page)) found.push(`${width} ${scheme}: ${wide}`);
            await rig.shot(page, `${name}-${width}-${scheme}`);
          }
        }
        assert.deepEqual(found, []);
        await page.context().close();
      });

    it("English: axe finds nothing on any page", async () => {
      const page = await rig.open();
      const found = [];
      for (const [name, path] of Object.entries(PAGES)) {
        await rig.go(page, address("en", path));
        for (const broken of await rig.axe(page)) found.push(`${name}: ${broken}`);
        await rig.shot(page, `${name}-en`);
      }
      assert.deepEqual(found, []);
      await page.context().close();
    });

    it("at 400% of a window of 1280 by 1024 every page stands in one column, and its heading is seen", async () => {
      const page = await rig.open(null, { width: 320, height: 256 });
      for (const [name, path] of Object.entries(PAGES)) {
        await rig.go(page, path);
        assert.deepEqual(await tooWide(page), [], name);
        const { h1, stuck } = await page.evaluate(() => {
          const h1 = document.querySelector("h1");
          h1.scrollIntoView();
          const fixed = [...document.querySelectorAll("body *")].filter((e) => ["fixed", "sticky"].includes(getComputedStyle(e).position));
          const tall = fixed.filter((e) => e.closest(".table-scroll") === null && e.checkVisibility() && e.getBoundingClientRect().height > innerHeight / 2);
          return { h1: h1.getBoundingClientRect().width, stuck: tall.map((e) => e.className) };
        });
        assert.ok(h1 > 0 && h1 <= 320, name);
        assert.deepEqual(stuck, [], `${name}: nothing that stays covers half of the window`);
      }
      await page.context().close();
    });

    it("nothing moves where less motion is asked for", async () => {
      const page = await rig.open("/");
      const moving = await page.evaluate(() => document.getAnimations().length);
      assert.equal(moving, 0);
      await page.context().close();
    });
  });
}
