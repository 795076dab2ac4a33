// What is shown can be taken away, as the API gives it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";

export default function (rig) {
  describe("downloads", () => {
    it("the CSV of a filtered list is the API's bytes, with as many rows as the page counts", async () => {
      const page = await rig.open("/entities?kind=KIS&region=26&sort=-name");
      const [download] = await Promise.all([page.waitForEvent("download"), page.click('main a[href*="entities.csv"]')]);
      assert.match(download.suggestedFilename(), /^entities-\d{4}-\d{2}-\d{2}\.csv$/);
      const bytes = await readFile(await download.path());
      const answer = await fetch(`${rig.url}/api/v1/entities.csv?kind=KIS&region=26&sort=-name`);
      assert.equal(answer.status, 200);
      assert.deepEqual(bytes, Buffer.from(await answer.arrayBuffer()));
      const { total } = await (await fetch(`${rig.url}/api/v1/entities?kind=KIS&region=26`)).json();
      assert.equal(bytes.toString("utf8").trimEnd().split("\r\n").length, total + 1);
      assert.equal(await page.locator("main tbody tr").count(), total);
      await page.context().close();
    });

    it("a change's proof is a proof file, and splotctl finds it good", async () => {
      const page = await rig.open("/changes?region=26");
      const links = page.locator(".feed > li").first().locator('a[href*="/proof/"]');
      const files = [];
      for (const link of await links.all()) {
        const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
        const path = `${rig.nation.folder}/${download.suggestedFilename()}`;
        await download.saveAs(path);
        assert.match(await readFile(path, "utf8"), /^c2sp\.org\/tlog-proof@v1\n/);
        files.push(path);
      }
      assert.equal(files.length, 2, "of the region's log and of the national one");
      const audit = `${rig.nation.folder}/audit`;
      const key = (await readFile(`${audit}/national/log.vkey`, "utf8")).trim();
      const said = await rig.nation.ctl(null, "audit", "check", ...files, "--keys", `${audit}/26/log.vkey`, "--key", key);
      assert.match(said, /proved: event/);
      await page.context().close();
    });
  });
}
