// An edit at a node, seen on pages that are open.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

const ID = "pl26-kis-kielce-pestka";
const SOON_MS = 1000;
const TRIES = 3;

const edit = (rig, reason, ...fields) => rig.nation.ctl("26", "put", "entity", ID, ...fields, "--reason", reason, "--source", "note 1/2026");

const seen = (page, text) =>
  page.waitForFunction((wanted) => document.querySelector("main").textContent.includes(wanted), text, { polling: 20 });

// Once is enough: a machine that stood still for a moment says nothing about the programs.
async function soon(measure) {
  const took = [];
  while (took.length < TRIES && !(took.at(-1) < SOON_MS)) took.push(await measure(took.length + 1));
  assert.ok(took.at(-1) < SOON_MS, `after ${took} ms`);
}

// How long from the clerk's command until the page says so.
const appears = (rig, page, reason, text) =>
  soon(async (n) => {
    const begun = Date.now();
    await Promise.all([edit(rig, `${reason} ${n}`, `other_facts=${text} ${n}`), seen(page, `${text} ${n}`)]);
    return Date.now() - begun;
  });

const listening = (page) => page.waitForSelector(".live-live");

// In the page: when a region's name was first seen, by the page's own clock.
function noteFirst() {
  new MutationObserver((_, observer) => {
    if (!/świętokrzyskie/.test(document.querySelector("main")?.textContent ?? "")) return;
    window.shownAt = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true, characterData: true });
}

export default function (rig) {
  describe("opening the page", () => {
    it("shows the register within a second", async () => {
      const page = await rig.open();
      await page.addInitScript(noteFirst);
      await soon(async () => {
        await page.goto("/");
        return (await page.waitForFunction(() => window.shownAt)).jsonValue();
      });
      await page.context().close();
    });
  });

  describe("an edit at a node", () => {
    it("appears on the open page of its record within a second, without loading the page anew", async () => {
      const page = await rig.open(`/entity/${ID}`);
      await listening(page);
      await page.evaluate(() => (window.sameDocument = true));
      await appears(rig, page, "letter of the city", "Widoczne od razu");
      assert.equal(await page.evaluate(() => window.sameDocument), true);
      assert.deepEqual(page.faults, []);
      await page.context().close();
    });

    it("waits while the reader holds the page, and is there once it goes on", async () => {
      const page = await rig.open(`/entity/${ID}`);
      await listening(page);
      await page.click(".hold");
      await page.waitForSelector(".live-paused");
      const announced = () => page.textContent('[role="status"][aria-live="polite"]');
      const before = await announced();
      await edit(rig, "while it is held", "other_facts=Wstrzymane");
      await rig.nation.settle();
      await page.waitForTimeout(2 * SOON_MS);
      assert.doesNotMatch(await page.textContent("main"), /Wstrzymane/);
      assert.equal(await announced(), before);
      assert.deepEqual(await rig.axe(page), []);
      await page.click(".hold");
      await seen(page, "Wstrzymane");
      await listening(page);
      await page.context().close();
    });

    it("is told to a screen reader by a quiet notice", async () => {
      const page = await rig.open(`/entity/${ID}`);
      await listening(page);
      await edit(rig, "call with the club", "other_facts=Powiedziane");
      await page.waitForFunction(() => /KIS Kielce/.test(document.querySelector('[role="status"][aria-live="polite"]').textContent));
      await page.context().close();
    });

    it("arrives at the top of the feed with its diff", async () => {
      const page = await rig.open("/changes");
      await listening(page);
      await appears(rig, page, "to the top", "Na górze");
      const first = page.locator(".feed > li").first();
      assert.match(await first.textContent(), /(Powiedziane|Na górze \d)\s*→\s*.*Na górze \d/s);
      assert.equal(await first.locator("h3 a").getAttribute("href"), `/entity/${ID}`);
      await page.context().close();
    });

    it("waits while the feed is paused, and behind the button while one reads further down: nothing moves", async () => {
      const page = await rig.open("/changes", { height: 600 });
      await listening(page);
      await page.click("#pause");
      await edit(rig, "while paused", "other_facts=Raz");
      await page.waitForSelector(".feed-waiting");
      assert.doesNotMatch(await page.textContent(".feed"), /while paused/);
      await page.click("#pause");
      await seen(page, "while paused");

      const third = page.locator(".feed > li").nth(4);
      await third.evaluate((e) => e.scrollIntoView({ block: "start" }));
      const where = await third.boundingBox();
      await edit(rig, "while reading", "other_facts=Dwa");
      await page.waitForSelector(".feed-waiting");
      assert.match(await page.textContent(".feed-waiting"), /1 nową/);
      assert.deepEqual(await third.boundingBox(), where, "what one reads stays where it is");
      await rig.shot(page, "changes-waiting", false);
      await page.click(".feed-waiting");
      await seen(page, "while reading");
      assert.match(await page.locator(".feed > li").first().textContent(), /while reading/);
      await page.context().close();
    });

    it("that a filter leaves out does not come", async () => {
      const page = await rig.open("/changes?kind=operator");
      await listening(page);
      const before = await page.locator(".feed > li").count();
      await edit(rig, "of an entity", "other_facts=Trzy");
      await rig.nation.ctl("26", "put", "operator", "pl26-op-pestka", "note=Notatka", "--reason", "of an operator", "--source", "note 2");
      await seen(page, "of an operator");
      assert.equal(await page.locator(".feed > li").count(), before + 1);
      assert.doesNotMatch(await page.textContent(".feed"), /of an entity/);
      await page.context().close();
    });

    it("reaches a page beside the node as well", async () => {
      const page = await rig.open(`/entity/${ID}`, { base: rig.own });
      await listening(page);
      await appears(rig, page, "at the node", "U siebie");
      await page.context().close();
    });
  });
}
