// A record's page: its fields, what became of it, and its end.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ready } from "../rig.mjs";

const WHY = ["--source", "letter 17/2026"];
const ID = "pl22-kis-kartuzy";
const RETIRED = "pl22-kis-wicko";
const tidy = (text) => text.replace(/\s+/g, " ").trim();

export default function (rig) {
  describe("records", () => {
    it("every column of an entity is shown by its label, what is not known as unknown", async () => {
      const page = await rig.open("/entity/pl26-kis-kielce-pestka");
      const { kinds } = await (await fetch(`${rig.url}/api/v1/columns`)).json();
      const { record } = await (await fetch(`${rig.url}/api/v1/records/pl26-kis-kielce-pestka`)).json();
      const shown = new Map();
      for (const pair of await page.locator(".groups .fields > div").all())
        shown.set((await pair.locator("dt").textContent()).toLowerCase(), tidy(await pair.locator("dd").textContent()));
      for (const { name, label_pl: label } of kinds.find((kind) => kind.name === "entity").columns) {
        assert.ok(shown.has(label.toLowerCase()), name);
        if (record[name] === null) assert.equal(shown.get(label.toLowerCase()), "nie wiadomo", name);
      }
      for (const label of ["data utworzenia", "data rozpoczęcia działalności", "data rejestracji"]) assert.match(shown.get(label), /^\d+\.\d\d\.\d{4}$/);
      assert.ok(await page.locator('.groups a[href="/record/pl26-op-pestka"]').count());
      await page.context().close();
    });

    it("claims that disagree stand side by side, each with who, when and its document", async () => {
      const page = await rig.open("/region/32");
      const sides = (await page.locator(".dispute-sides > li").allTextContents()).map(tidy);
      assert.equal(sides.length, 2);
      assert.match(sides.join(" | "), /6 ROPS stan na 4\.07\.2019 000_\w+\.txt/);
      assert.match(sides.join(" | "), /11 UW stan na 28\.11\.2016 000_\w+\.txt/);
      await page.context().close();
    });

    it("its history says what was and what is, older changes come when asked for", async () => {
      await rig.nation.ctl("22", "put", "entity", ID, "status=suspended", "postcode=83-300", "--reason", "letter of the club", ...WHY);
      for (let i = 1; i <= 21; i++) await rig.nation.ctl("22", "put", "entity", ID, `participants_total=${i}`, "--reason", `report ${i}`, ...WHY);
      await rig.nation.settle();
      const page = await rig.open(`/en/entity/${ID}`);
      await page.waitForFunction(() => document.querySelector(".timeline .diff")?.textContent.includes("21"));
      assert.equal(await page.locator(".timeline > li").count(), 20);
      assert.match(tidy(await page.locator(".timeline > li").first().textContent()), /participants in total was: 20 → is: 21/);
      await page.click("text=Older changes");
      await page.waitForFunction(() => document.querySelectorAll(".timeline > li").length === 23);
      const texts = (await page.locator(".timeline > li").allTextContents()).map(tidy);
      assert.match(texts[21], /Reason ?letter of the club Document ?letter 17\/2026/);
      assert.match(texts[21], /postcode .*is: 83-300/);
      assert.match(texts[21], /status was: active → is: suspended/);
      assert.match(texts[22], /Created/);
      assert.deepEqual(page.faults, []);
      await page.click(".timeline > li:nth-child(22) >> text=register at that moment");
      await page.waitForFunction(() => location.search.includes("as_of="));
      await ready(page);
      assert.match(tidy(await page.textContent(".facts-line")), /suspended/);
      assert.equal(await page.locator(".timeline > li").count(), 2, "the history of then");
      await page.context().close();
    });

    it("a retired record says so, keeps its page, and is in no list", async () => {
      await rig.nation.ctl("22", "retire", RETIRED, "--reason", "struck off", ...WHY);
      await rig.nation.settle();
      const page = await rig.open(`/entity/${RETIRED}`);
      await page.waitForSelector(".retired");
      assert.match(await page.textContent("#fields"), /sprzed wycofania/);
      assert.match(tidy(await page.textContent(".groups")), /Miejscowość Wicko/);
      assert.match(tidy(await page.locator(".timeline > li").first().textContent()), /Wycofano.*struck off/);
      assert.deepEqual(await rig.axe(page), []);
      assert.deepEqual(page.faults, []);
      await rig.go(page, "/entities?region=22&kind=KIS");
      assert.equal(await page.locator(`a[href="/entity/${RETIRED}"]`).count(), 0);
      await page.context().close();
    });
  });
}
