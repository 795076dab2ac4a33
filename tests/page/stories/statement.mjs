// The accessibility statement: the parts and ids that the act's conditions name, and its blanks.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

const IDS = [
  "a11y-wstep", "a11y-podmiot", "a11y-zakres", "a11y-url", "a11y-data-publikacja", "a11y-data-aktualizacja", "a11y-status",
  "a11y-data-sporzadzenie", "a11y-data-przeglad", "a11y-kontakt", "a11y-email", "a11y-telefon", "a11y-procedura",
  "a11y-architektura", "a11y-komunikacja", "a11y-aplikacje",
];

export default function (rig) {
  describe("the accessibility statement", () => {
    it("has every part by its id, and says which blanks the administrator is to fill", async () => {
      const page = await rig.open("/accessibility");
      for (const id of IDS) assert.equal(await page.locator(`[id="${id}"]`).count(), 1, id);
      const blanks = await page.locator(".blank").allTextContents();
      for (const key of ["body", "site-published", "conformity", "statement-made", "contact-email", "architecture"])
        assert.ok(blanks.some((text) => text.includes(`(${key})`)), key);
      await page.context().close();
    });

    it("filled by the configuration it has none, in either language", async () => {
      const page = await rig.open("/accessibility", { base: rig.own });
      for (const id of IDS) assert.equal(await page.locator(`[id="${id}"]`).count(), 1, id);
      assert.equal(await page.locator(".blank").count(), 0);
      assert.equal(await page.getAttribute("#a11y-data-publikacja", "datetime"), "2026-01-15");
      assert.equal(await page.getAttribute("#a11y-email", "href"), "mailto:dostepnosc@urzad.example");
      assert.match(await page.textContent("#a11y-status"), /częściowo zgodna/);
      assert.match(await page.textContent("main"), /Druga treść/);
      await rig.go(page, "/en/accessibility");
      assert.equal(await page.locator(".blank").count(), 0);
      assert.match(await page.textContent("main"), /The map has no description of each border/);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("is linked from the foot of every page", async () => {
      const page = await rig.open("/entities");
      await page.click("footer a[href='/accessibility']");
      await page.waitForSelector("#a11y-wstep");
      await page.context().close();
    });
  });
}
