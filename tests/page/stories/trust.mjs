// Whether what the page says of verifying it oneself is so.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";

async function mirror(list, folder) {
  for (const address of list) {
    const answer = await fetch(address);
    if (answer.status === 404 && address.endsWith("/redacted")) continue; // nothing was erased there
    assert.equal(answer.status, 200, address);
    const path = join(folder, new URL(address).pathname.replace("/api/v1/logs/", ""));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.from(await answer.arrayBuffer()));
  }
}

export default function (rig) {
  describe("trust", () => {
    it("seventeen logs are shown with their states, and the witnesses' quorum stands", async () => {
      const page = await rig.open("/trust");
      await page.waitForFunction(() => document.querySelectorAll("#logs ~ .table-scroll tbody tr").length === 17);
      const states = await page.locator("#logs ~ .table-scroll tbody .badge").allTextContents();
      assert.equal(states.filter((text) => text.includes("na bieżąco")).length, 17);
      await page.waitForFunction(() => /9 z 16/.test(document.querySelector("#witnesses").parentElement.textContent));
      await page.waitForFunction(() => /kworum jest/.test(document.querySelector("#witnesses").parentElement.textContent));
      await page.context().close();
    });

    it("the prepared list names every file, and what it fetches verifies with the page's own command", async () => {
      const page = await rig.open("/trust");
      await page.click("#prepare");
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#splot-logs")]);
      const list = (await readFile(await download.path(), "utf8")).trim().split("\n");
      const folder = join(rig.nation.folder, "mirror");
      await mirror(list, folder);
      const commands = await page.locator(".command pre").allTextContents();
      const [, key] = commands.join("\n").match(/audit verify splot-logs --key '([^']+)'/);
      const said = await rig.nation.ctl(null, "audit", "verify", folder, "--key", key);
      assert.match(said, /nothing is wrong/);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("beside a node the page says whose log it knows, and is as free of faults", async () => {
      const page = await rig.open(null, { base: rig.own });
      for (const path of ["/", "/entities", "/changes", "/quality", "/trust", "/region/26"]) {
        await rig.go(page, path);
        assert.deepEqual(await rig.axe(page), [], path);
      }
      await rig.shot(page, "node-region");
      await rig.go(page, "/region/24");
      const text = await page.textContent("main");
      assert.match(text, /jednego województwa: świętokrzyskie/);
      assert.doesNotMatch(text, /brak wpisów/i, "what is not seen from here is not said to be missing");
      assert.deepEqual(await rig.axe(page), []);
      await rig.go(page, "/trust");
      await rig.shot(page, "node-trust");
      assert.equal(await page.locator("#servers ~ .table-scroll tbody tr").count(), 1, "one server");
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });
  });
}
